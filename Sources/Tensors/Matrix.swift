/// A view for reading of a row-major float matrix `[rows, columns]` in memory that somebody else owns.
///
/// `stride` is the distance between rows in elements, so a view can be a band of columns of a wider matrix. Views are plain
/// values. Code that makes a view guarantees that the memory outlives it, and that nobody writes an element while another thread
/// reads it. `MutableMatrix` is the view for writing.
///
/// So making a view from an address is unsafe, and so is every access to elements, whose indices are not checked in a release
/// build. A view that is only handed on, cut or multiplied is safe: shapes are checked.
@safe public struct Matrix: @unchecked Sendable {
    /// The first element.
    public let base: UnsafePointer<Float>
    /// Number of rows.
    public let rows: Int
    /// Number of columns.
    public let columns: Int
    /// Elements from one row to the next.
    public let stride: Int

    /// Creates a view; `stride` defaults to `columns`.
    @inlinable
    public init(_ base: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        unsafe self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
        precondition(rows >= 0 && columns >= 0 && self.stride >= columns, "matrix view of impossible shape")
    }

    /// The view of a matrix that others may write.
    @inlinable
    public init(_ matrix: MutableMatrix) {
        unsafe base = UnsafePointer(matrix.base)
        rows = matrix.rows
        columns = matrix.columns
        stride = matrix.stride
    }

    /// Number of elements.
    @inlinable public var count: Int { rows * columns }

    /// The first element of a row.
    @inlinable
    public func row(_ index: Int) -> UnsafePointer<Float> {
        assert(index >= 0 && index < rows)
        return unsafe base + index * stride
    }

    /// The view of `count` rows from `start`.
    @inlinable
    public func rows(_ start: Int, _ count: Int) -> Matrix {
        precondition(start >= 0 && count >= 0 && start + count <= rows, "row range outside the matrix")
        return unsafe Matrix(base + start * stride, rows: count, columns: columns, stride: stride)
    }

    /// The view of `count` columns from `start`.
    @inlinable
    public func columns(_ start: Int, _ count: Int) -> Matrix {
        precondition(start >= 0 && count >= 0 && start + count <= columns, "column range outside the matrix")
        return unsafe Matrix(base + start, rows: rows, columns: count, stride: stride)
    }

    /// One element.
    @unsafe @inlinable
    public subscript(row: Int, column: Int) -> Float {
        assert(row >= 0 && row < rows && column >= 0 && column < columns)
        return unsafe base[row * stride + column]
    }

    /// A copy as an array of `rows * columns` values.
    public func copied() -> [Float] {
        var values: [Float] = []
        values.reserveCapacity(count)
        for r in 0..<rows {
            unsafe values.append(contentsOf: UnsafeBufferPointer(start: row(r), count: columns))
        }
        return values
    }
}
