/// A view for writing of a row-major float matrix `[rows, columns]` in memory that somebody else owns; `Matrix` is the view for
/// reading.
///
/// Views are plain values. Code that makes a view guarantees that the memory outlives it, may be written, and that two threads
/// never write the same element. What is safe of a view is described at `Matrix`.
@safe public struct MutableMatrix: @unchecked Sendable {
    /// The first element.
    public let base: UnsafeMutablePointer<Float>
    /// Number of rows.
    public let rows: Int
    /// Number of columns.
    public let columns: Int
    /// Elements from one row to the next.
    public let stride: Int

    /// Creates a view; `stride` defaults to `columns`.
    @inlinable
    public init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        unsafe self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
        precondition(rows >= 0 && columns >= 0 && self.stride >= columns, "matrix view of impossible shape")
    }

    /// The same matrix for reading.
    @inlinable public var readOnly: Matrix { Matrix(self) }

    /// Number of elements.
    @inlinable public var count: Int { rows * columns }

    /// All elements of a matrix without gaps, as one row.
    @inlinable public var asOneRow: MutableMatrix {
        precondition(stride == columns || rows <= 1, "a row with gaps")
        return unsafe MutableMatrix(base, rows: 1, columns: count)
    }

    /// The first element of a row.
    @inlinable
    public func row(_ index: Int) -> UnsafeMutablePointer<Float> {
        assert(index >= 0 && index < rows)
        return unsafe base + index * stride
    }

    /// The view of `count` rows from `start`.
    @inlinable
    public func rows(_ start: Int, _ count: Int) -> MutableMatrix {
        precondition(start >= 0 && count >= 0 && start + count <= rows, "row range outside the matrix")
        return unsafe MutableMatrix(base + start * stride, rows: count, columns: columns, stride: stride)
    }

    /// The view of `count` columns from `start`.
    @inlinable
    public func columns(_ start: Int, _ count: Int) -> MutableMatrix {
        precondition(start >= 0 && count >= 0 && start + count <= columns, "column range outside the matrix")
        return unsafe MutableMatrix(base + start, rows: rows, columns: count, stride: stride)
    }

    /// One element.
    @unsafe @inlinable
    public subscript(row: Int, column: Int) -> Float {
        get {
            assert(row >= 0 && row < rows && column >= 0 && column < columns)
            return unsafe base[row * stride + column]
        }
        nonmutating set {
            assert(row >= 0 && row < rows && column >= 0 && column < columns)
            unsafe base[row * stride + column] = newValue
        }
    }
}
