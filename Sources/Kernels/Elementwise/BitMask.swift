import CVectorKernels
public import Tensors

/// One bit for each element of a matrix, row by row: what the backward of a dropout, or of a ReLU and its dropout, needs. Element (r, c)
/// is bit `c % 8` of byte `c / 8` of row r; a row takes whole groups of eight bytes.
///
/// A view like `Matrix`: making one and touching its bytes is unsafe, handing it on is not.
@safe public struct BitMask {
    private let base: UnsafeMutablePointer<UInt8>
    private let rows: Int
    private let columns: Int
    /// Bytes of a row.
    let stride: Int

    /// Bytes of a mask of this shape.
    public static func byteCount(rows: Int, columns: Int) -> Int { rows * rowBytes(columns) }

    private static func rowBytes(_ columns: Int) -> Int { (columns + 63) / 64 * 8 }

    /// A view of `byteCount` bytes.
    public init(_ base: UnsafeMutablePointer<UInt8>, rows: Int, columns: Int) {
        unsafe self.base = base
        self.rows = rows
        self.columns = columns
        stride = Self.rowBytes(columns)
    }

    /// Memory of a workspace for the bits of a matrix.
    public init(in workspace: Workspace, rows: Int, columns: Int) {
        unsafe self.init(
            workspace.take(UInt8.self, Self.byteCount(rows: rows, columns: columns)), rows: rows, columns: columns)
    }

    /// The bits of `count` rows from `start`.
    public func rows(_ start: Int, _ count: Int) -> BitMask {
        precondition(start >= 0 && count >= 0 && start + count <= rows, "rows outside the mask")
        return unsafe BitMask(base + start * stride, rows: count, columns: columns)
    }

    /// `y = x * scale` where there is a bit, else 0: overwrites `y`, which may be `x`.
    public func apply(_ x: Matrix, scale: Float, into y: MutableMatrix) {
        check(y)
        precondition(x.rows == y.rows && x.columns == y.columns, "mask between different shapes")
        unsafe cvectorkernels_here().pointee.masked(
            base, Int64(stride), scale, x.base, Int64(x.stride), nil, 0, y.base, Int64(y.stride), Int64(y.rows),
            Int64(y.columns))
    }

    /// `y += x * scale` where there is a bit: adds to `y`.
    public func applyAdding(_ x: Matrix, scale: Float, to y: MutableMatrix) {
        check(y)
        precondition(x.rows == y.rows && x.columns == y.columns, "mask between different shapes")
        unsafe cvectorkernels_here().pointee.masked(
            base, Int64(stride), scale, x.base, Int64(x.stride), y.base, Int64(y.stride), y.base, Int64(y.stride),
            Int64(y.rows), Int64(y.columns))
    }

    /// Refuses a matrix that is not as wide as the mask or has more rows.
    func check(_ matrix: MutableMatrix) {
        precondition(matrix.rows <= rows && matrix.columns == columns, "mask of another shape")
    }

    /// The first byte of a row.
    func row(_ index: Int) -> UnsafeMutablePointer<UInt8> { unsafe base + index * stride }
}
