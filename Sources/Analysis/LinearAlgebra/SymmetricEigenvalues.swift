import COpenBLAS
import Failures

/// Eigenvalues and orthonormal eigenvectors of a symmetric matrix, by LAPACK's dsyevd.
struct SymmetricEigenvalues {
    /// In descending order.
    let values: [Double]
    /// `[n, n]`: row i is the eigenvector of `values[i]`.
    let vectors: DenseMatrix

    /// Decomposes a symmetric matrix of finite numbers, `[n, n]`. Throws `internal` when LAPACK does not converge.
    init(_ matrix: DenseMatrix) throws(Failure) {
        precondition(matrix.rows == matrix.columns, "eigenvalues of a matrix that is not square")
        let count = matrix.rows
        guard count > 0 else {
            (values, vectors) = ([], matrix)
            return
        }
        var (n, lda) = (blasint(count), blasint(count))
        var copy = matrix.values
        var ascending = [Double](repeating: 0, count: count)
        var (work, size): ([Double], blasint) = ([0], -1)
        var (integers, integerSize): ([blasint], blasint) = ([0], -1)
        var info: blasint = 0
        // The first call only says how much memory the second one needs.
        for _ in 0..<2 {
            unsafe dsyevd_(
                "V", "U", &n, &copy, &lda, &ascending, &work, &size, &integers, &integerSize, &info, 1, 1)
            guard info == 0 else { throw lapackFailure("dsyevd", info) }
            if size < 0 {
                (size, integerSize) = (blasint(work[0]), integers[0])
                work = [Double](repeating: 0, count: Int(size))
                integers = [blasint](repeating: 0, count: Int(integerSize))
            }
        }
        // A column of LAPACK's matrix, which is an eigenvector, is a row here.
        let rows = copy
        values = ascending.reversed()
        vectors = DenseMatrix(rows: count, columns: count) { rows[(count - 1 - $0) * count + $1] }
    }
}
