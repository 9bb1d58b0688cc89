import Tensors

/// One bit for each element of a matrix, row by row: what the backward of a ReLU and its dropout needs.
///
/// 64 columns take eight bytes: element (r, c) is bit `c % 64 / 8` of byte `c / 64 * 8 + c % 8` of row r. So eight neighbours
/// lie in eight bytes, like the lanes of a vector.
///
/// A view like `Matrix`: making one and touching its bytes is unsafe, handing it on is not.
@safe public struct BitMask {
    private let base: UnsafeMutablePointer<UInt8>
    private let rows: Int
    private let columns: Int
    /// Bytes of a row.
    private let stride: Int

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

    /// Notes which of eight values from `column` are above 0 or not a number. Writes eight bytes of `row` when the bits of 64
    /// columns are collected or the row ends.
    @inline(__always)
    static func collect(
        _ values: SIMD8<Float>, column: Int, width: Int, into bits: inout SIMD8<Int32>,
        _ row: UnsafeMutablePointer<UInt8>
    ) {
        let bit = SIMD8<Int32>(repeating: 1 &<< Int32(truncatingIfNeeded: column % 64 / 8))
        bits |= SIMD8<Int32>.zero.replacing(with: bit, where: .!(values .<= SIMD8<Float>.zero))
        guard column % 64 == 56 || column + 8 >= width else { return }
        unsafe UnsafeMutableRawPointer(row + column / 64 * 8).storeBytes(
            of: SIMD8<UInt8>(truncatingIfNeeded: bits), as: SIMD8<UInt8>.self)
        bits = .zero
    }

    /// The bits of 64 columns from `column`, a multiple of 64.
    @inline(__always)
    static func bits(_ row: UnsafeMutablePointer<UInt8>, column: Int) -> SIMD8<Int32> {
        unsafe SIMD8<Int32>(
            truncatingIfNeeded: UnsafeRawPointer(row + column / 8).loadUnaligned(as: SIMD8<UInt8>.self))
    }

    /// Which of the columns `8 part ..< 8 part + 8` have their bit set.
    @inline(__always)
    static func lanes(_ bits: SIMD8<Int32>, _ part: Int) -> SIMDMask<SIMD8<Int32>> {
        let bit = SIMD8<Int32>(repeating: 1 &<< Int32(truncatingIfNeeded: part))
        return (bits & bit) .== bit
    }
}
