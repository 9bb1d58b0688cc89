public import Tensors

/// Whether an operand of a product is read as it is or transposed.
public enum Operand: Sendable {
    case asIs(Matrix)
    case transposed(Matrix)

    @usableFromInline var matrix: Matrix {
        switch self {
        case .asIs(let m), .transposed(let m): m
        }
    }

    @usableFromInline var shape: (rows: Int, columns: Int) {
        switch self {
        case .asIs(let m): (m.rows, m.columns)
        case .transposed(let m): (m.columns, m.rows)
        }
    }

    /// Element (i, j) is `i * row + j * column` elements after the first one.
    var strides: (row: Int, column: Int) {
        switch self {
        case .asIs(let m): (m.stride, 1)
        case .transposed(let m): (1, m.stride)
        }
    }
}
