import COpenBLAS
package import Failures

/// The thin singular value decomposition `M = U diag(S) V^T` of a matrix `[rows, columns]`, by LAPACK's dgesdd.
package struct SingularValueDecomposition: Sendable {
    /// U, `[rows, k]`: its columns are orthonormal.
    package let left: DenseMatrix
    /// S, `[k]`: at least 0, in descending order.
    package let values: [Double]
    /// V^T, `[k, columns]`: its rows are orthonormal.
    package let right: DenseMatrix

    /// Creates a decomposition from its parts.
    init(left: DenseMatrix, values: [Double], right: DenseMatrix) {
        (self.left, self.values, self.right) = (left, values, right)
    }

    /// Decomposes a matrix of finite numbers; k is its smaller side. Throws `internal` when LAPACK does not converge.
    package init(_ matrix: DenseMatrix) throws(Failure) {
        let k = min(matrix.rows, matrix.columns)
        var (u, vt) = (
            [Double](repeating: 0, count: matrix.columns * k), [Double](repeating: 0, count: k * matrix.rows)
        )
        values = try Self.decompose(matrix, "S", u: &u, vt: &vt)
        // LAPACK reads the rows as columns, so that it decomposes the transposed matrix and U and V change places.
        left = DenseMatrix(rows: matrix.rows, columns: k, values: vt)
        right = DenseMatrix(rows: k, columns: matrix.columns, values: u)
    }

    /// Only the singular values of a matrix of finite numbers, in descending order.
    package static func values(of matrix: DenseMatrix) throws(Failure) -> [Double] {
        var (u, vt) = ([0.0], [0.0])
        return try decompose(matrix, "N", u: &u, vt: &vt)
    }

    private static func decompose(
        _ matrix: DenseMatrix, _ job: String, u: inout [Double], vt: inout [Double]
    ) throws(Failure) -> [Double] {
        let k = min(matrix.rows, matrix.columns)
        guard k > 0 else { return [] }
        var (m, n, ldvt) = (blasint(matrix.columns), blasint(matrix.rows), blasint(k))
        var (lda, ldu) = (m, m)
        var copy = matrix.values
        var values = [Double](repeating: 0, count: k)
        var integers = [blasint](repeating: 0, count: 8 * k)
        var (work, size, info): ([Double], blasint, blasint) = ([0], -1, 0)
        // The first call only says how much memory the second one needs.
        for _ in 0..<2 {
            unsafe dgesdd_(
                job, &m, &n, &copy, &lda, &values, &u, &ldu, &vt, &ldvt, &work, &size, &integers, &info, 1)
            guard info == 0 else { throw lapackFailure("dgesdd", info) }
            if size < 0 {
                size = blasint(work[0])
                work = [Double](repeating: 0, count: Int(size))
            }
        }
        return values
    }

    /// The rank as numpy's `matrix_rank` counts it: how many singular values are above `max(S) * max(rows, columns) * 2^-52`.
    package var rank: Int {
        let limit = (values.first ?? 0) * Double(max(left.rows, right.columns)) * Double.ulpOfOne
        return values.count { $0 > limit }
    }
}

/// The failure of a routine of LAPACK.
func lapackFailure(_ routine: String, _ info: blasint) -> Failure {
    Failure(.internal, "LAPACK's \(routine) did not converge (info \(info)); report this")
}
