import Tensors

/// One bit for each element of a matrix, row by row: what the backward of a ReLU and its dropout needs. Element (r, c) is bit
/// `c % 8` of byte `c / 8` of row r; a row takes whole groups of eight bytes.
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

    /// Refuses a matrix that is not as wide as the mask or has more rows.
    func check(_ matrix: MutableMatrix) {
        precondition(matrix.rows <= rows && matrix.columns == columns, "mask of another shape")
    }

    /// The first byte of a row.
    func row(_ index: Int) -> UnsafeMutablePointer<UInt8> { unsafe base + index * stride }
}
