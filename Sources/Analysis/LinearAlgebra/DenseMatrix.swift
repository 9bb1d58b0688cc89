import COpenBLAS
package import Tensors

/// A matrix `[rows, columns]` in double precision, stored row by row.
package struct DenseMatrix: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    /// Element `[i, j]` is at `i * columns + j`.
    package private(set) var values: [Double]

    /// Creates a matrix from its elements, row by row.
    package init(rows: Int, columns: Int, values: [Double]) {
        precondition(rows >= 0 && columns >= 0 && values.count == rows * columns, "a matrix of another size")
        (self.rows, self.columns, self.values) = (rows, columns, values)
    }

    /// The matrix whose element `[i, j]` is `value(i, j)`.
    package init(rows: Int, columns: Int, _ value: (Int, Int) -> Double) {
        self.init(
            rows: rows, columns: columns,
            values: (0..<rows * columns).map { value($0 / max(columns, 1), $0 % max(columns, 1)) })
    }

    /// The square matrix with these numbers on its diagonal.
    package init(diagonal: [Double]) {
        self.init(rows: diagonal.count, columns: diagonal.count) { $0 == $1 ? diagonal[$0] : 0 }
    }

    /// A copy of a float32 matrix; exact.
    package init(_ matrix: Matrix) {
        self.init(rows: matrix.rows, columns: matrix.columns, values: matrix.copied().map(Double.init))
    }

    package subscript(row: Int, column: Int) -> Double {
        get { values[row * columns + column] }
        set { values[row * columns + column] = newValue }
    }

    /// The sum of all elements.
    package var sum: Double { values.reduce(0, +) }

    /// The product `self * other`.
    package func times(_ other: DenseMatrix) -> DenseMatrix {
        precondition(columns == other.rows, "a product of \(rows)x\(columns) and \(other.rows)x\(other.columns)")
        return product(CblasNoTrans, other, CblasNoTrans, rows, columns, other.columns)
    }

    /// The product `self^T * other`.
    package func transposedTimes(_ other: DenseMatrix) -> DenseMatrix {
        precondition(rows == other.rows, "a product of \(columns)x\(rows) and \(other.rows)x\(other.columns)")
        return product(CblasTrans, other, CblasNoTrans, columns, rows, other.columns)
    }

    /// The product `self * other^T`.
    package func timesTransposed(_ other: DenseMatrix) -> DenseMatrix {
        precondition(columns == other.columns, "a product of \(rows)x\(columns) and \(other.columns)x\(other.rows)")
        return product(CblasNoTrans, other, CblasTrans, rows, columns, other.rows)
    }

    private func product(
        _ flag: CBLAS_TRANSPOSE, _ other: DenseMatrix, _ otherFlag: CBLAS_TRANSPOSE, _ m: Int, _ k: Int, _ n: Int
    ) -> DenseMatrix {
        var result = [Double](repeating: 0, count: m * n)
        guard m > 0, n > 0, k > 0 else { return DenseMatrix(rows: m, columns: n, values: result) }
        unsafe cblas_dgemm(
            CblasRowMajor, flag, otherFlag, blasint(m), blasint(n), blasint(k), 1, values, blasint(columns),
            other.values, blasint(other.columns), 0, &result, blasint(n))
        return DenseMatrix(rows: m, columns: n, values: result)
    }

    /// The difference `self - other` of matrices of the same shape.
    package func minus(_ other: DenseMatrix) -> DenseMatrix {
        precondition(rows == other.rows && columns == other.columns, "a difference of matrices of other shapes")
        return DenseMatrix(rows: rows, columns: columns, values: zip(values, other.values).map { $0 - $1 })
    }

    /// The matrix with column j multiplied by `factors[j]`.
    package func scalingColumns(by factors: [Double]) -> DenseMatrix {
        precondition(factors.count == columns, "factors for another number of columns")
        return DenseMatrix(rows: rows, columns: columns) { self[$0, $1] * factors[$1] }
    }

    /// The matrix with row i multiplied by `factors[i]`.
    package func scalingRows(by factors: [Double]) -> DenseMatrix {
        precondition(factors.count == rows, "factors for another number of rows")
        return DenseMatrix(rows: rows, columns: columns) { factors[$0] * self[$0, $1] }
    }

    /// The first `count` rows.
    package func firstRows(_ count: Int) -> DenseMatrix {
        DenseMatrix(rows: count, columns: columns, values: Array(values[..<(count * columns)]))
    }

    /// The matrix with rows and columns exchanged.
    package var transposed: DenseMatrix { DenseMatrix(rows: columns, columns: rows) { self[$1, $0] } }

    /// This matrix with the rows of another one below its own.
    package func above(_ other: DenseMatrix) -> DenseMatrix {
        precondition(columns == other.columns, "rows of another length")
        return DenseMatrix(rows: rows + other.rows, columns: columns, values: values + other.values)
    }

    /// This matrix with the columns of another one to the right of its own.
    package func beside(_ other: DenseMatrix) -> DenseMatrix { transposed.above(other.transposed).transposed }

    /// The matrix with this one and another one as blocks on its diagonal.
    package func diagonally(_ other: DenseMatrix) -> DenseMatrix {
        DenseMatrix(rows: rows + other.rows, columns: columns + other.columns) { i, j in
            if i < rows, j < columns { return self[i, j] }
            return i >= rows && j >= columns ? other[i - rows, j - columns] : 0
        }
    }
}
