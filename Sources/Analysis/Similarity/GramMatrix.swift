import COpenBLAS

/// A matrix that can be compared with others as a list of its elements.
package protocol FlattenedMatrix {
    var shape: [Int] { get }
    /// The sum of all elements.
    var sum: Double { get }
    /// The sum of the products of equal elements of two matrices of one shape.
    func inner(_ other: Self) -> Double
}

extension DenseMatrix: FlattenedMatrix {
    package var shape: [Int] { [rows, columns] }

    package func inner(_ other: DenseMatrix) -> Double {
        precondition(shape == other.shape, "matrices of different shapes")
        return unsafe cblas_ddot(blasint(values.count), values, 1, other.values, 1)
    }
}

extension SingularValueDecomposition: FlattenedMatrix {
    package var shape: [Int] { [left.rows, right.columns] }

    package var sum: Double {
        let columns = DenseMatrix(rows: 1, columns: left.rows) { _, _ in 1 }.times(left)
        let rows = right.times(DenseMatrix(rows: right.columns, columns: 1) { _, _ in 1 })
        return values.indices.reduce(0) { $0 + values[$1] * columns.values[$1] * rows.values[$1] }
    }

    /// `<U S V^T, U' S' V'^T> = sum over a, b of s_a s'_b (U^T U')_ab (V^T V')_ab`: no matrix of the full shape is formed.
    package func inner(_ other: SingularValueDecomposition) -> Double {
        let (lefts, rights) = (left.transposedTimes(other.left), right.timesTransposed(other.right))
        var sum = 0.0
        for a in values.indices {
            for b in other.values.indices { sum += values[a] * other.values[b] * lefts[a, b] * rights[a, b] }
        }
        return sum
    }
}

/// The inner products of flattened matrices of one shape.
struct GramMatrix {
    /// Element `[i, j]` is the inner product of matrices i and j.
    let products: DenseMatrix
    /// The sum of the elements of each matrix.
    let sums: [Double]
    /// The number of elements of one matrix.
    let count: Int

    init(_ matrices: [some FlattenedMatrix]) {
        var products = DenseMatrix(rows: matrices.count, columns: matrices.count) { _, _ in 0 }
        for i in matrices.indices {
            for j in 0...i {
                let product = matrices[i].inner(matrices[j])
                (products[i, j], products[j, i]) = (product, product)
            }
        }
        self.products = products
        sums = matrices.map(\.sum)
        count = matrices.first?.shape.reduce(1, *) ?? 0
    }

    /// Pearson's correlation of the elements of two matrices; nil if all elements of one are equal.
    func correlation(_ i: Int, _ j: Int) -> Double? {
        func covariance(_ i: Int, _ j: Int) -> Double { products[i, j] - sums[i] * sums[j] / Double(count) }
        let (own, other) = (covariance(i, i), covariance(j, j))
        // What is left of equal elements are errors of rounding.
        guard own > products[i, i] * Self.rounding, other > products[j, j] * Self.rounding else { return nil }
        return i == j ? 1 : min(max(covariance(i, j) / (own.squareRoot() * other.squareRoot()), -1), 1)
    }

    private static let rounding = 1e-13
}
