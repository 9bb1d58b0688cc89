import Randomness
import Tensors

/// Counter-based dropout: which elements fall is a pure function of (seed, step, slot, place, row, column).
///
/// Element (row, column) of a tensor of width W uses 16 bits of the Philox block with counter
/// `((row * ceil(W/64) + column/64) * 8 + e % 8, place, slot, step)`, `e = column % 64`: word `e/8 % 4`, the low half
/// for `e < 32`, else the high one. It is kept when those bits are at least `round(rate * 65536)`, and then multiplied
/// by `1 / (1 - threshold/65536)`. Source of the idea: Srivastava et al., "Dropout", JMLR 2014.
public struct Dropout: Sendable {
    private let philox: Philox
    private let step: UInt32
    private let threshold: UInt32
    /// The factor given to what is kept.
    public let scale: Float

    /// Creates the dropout of one training step; `rate` in [0, 1).
    public init(seed: UInt64, step: UInt32, rate: Double) {
        precondition(rate >= 0 && rate < 1, "dropout rate outside [0, 1)")
        philox = Philox(key: seed)
        self.step = step
        threshold = min(UInt32((rate * 65536).rounded()), 65535)
        scale = Float(1 / (1 - Double(threshold) / 65536))
    }

    /// Whether anything is dropped at all.
    public var isActive: Bool { threshold > 0 }

    /// `y = drop(x)` for one row: overwrites `y: [width]`; `x` and `y` may be the same.
    public func apply(
        _ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, width: Int, row: Int, slot: UInt32,
        place: UInt32
    ) {
        forEachEight(width, row, slot, place) { start, count, keep in
            if count == 8 {
                let lanes = UnsafeRawPointer(x + start).loadUnaligned(as: SIMD8<Float>.self) * scale
                UnsafeMutableRawPointer(y + start).storeBytes(
                    of: SIMD8<Float>.zero.replacing(with: lanes, where: keep), as: SIMD8<Float>.self)
            } else {
                for i in 0..<count {
                    y[start + i] = keep[i] ? x[start + i] * scale : 0
                }
            }
        }
    }

    /// `y = a + drop(x)` for one row: overwrites `y: [width]`; `y` may be one of the others.
    public func applyAdding(
        _ x: UnsafePointer<Float>, to a: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, width: Int,
        row: Int,
        slot: UInt32, place: UInt32
    ) {
        forEachEight(width, row, slot, place) { start, count, keep in
            if count == 8 {
                let lanes = UnsafeRawPointer(x + start).loadUnaligned(as: SIMD8<Float>.self) * scale
                let sum = UnsafeRawPointer(a + start).loadUnaligned(as: SIMD8<Float>.self)
                UnsafeMutableRawPointer(y + start).storeBytes(
                    of: sum + SIMD8<Float>.zero.replacing(with: lanes, where: keep), as: SIMD8<Float>.self)
            } else {
                for i in 0..<count {
                    y[start + i] = a[start + i] + (keep[i] ? x[start + i] * scale : 0)
                }
            }
        }
    }

    /// `x = drop(max(x, 0))` for one row, in place, and in `mask` which elements are not 0: overwrites `x: [width]` and
    /// the mask's row.
    func applyRelu(
        _ x: UnsafeMutablePointer<Float>, mask: UnsafeMutablePointer<UInt8>, width: Int, row: Int, slot: UInt32,
        place: UInt32
    ) {
        forEachEight(width, row, slot, place) { start, count, keep in
            if count == 8 {
                let lanes = UnsafeRawPointer(x + start).loadUnaligned(as: SIMD8<Float>.self)
                let positive = lanes.replacing(with: 0, where: lanes .< 0)
                let value = SIMD8<Float>.zero.replacing(with: positive * scale, where: keep)
                UnsafeMutableRawPointer(x + start).storeBytes(of: value, as: SIMD8<Float>.self)
                mask[start / 8] = bits(value .!= 0)
            } else {
                mask[start / 8] = 0
                for i in 0..<count {
                    let positive = x[start + i] < 0 ? 0 : x[start + i]
                    x[start + i] = keep[i] ? positive * scale : 0
                    if x[start + i] != 0 { mask[start / 8] |= 1 << UInt8(i) }
                }
            }
        }
    }

    /// `x = drop(max(x, 0))` for rows of one example, numbered from `first`, in place; `mask` as for one row.
    public func applyRelu(_ x: Matrix, _ rows: Range<Int>, mask: BitMask, slot: UInt32, place: UInt32) {
        for (number, r) in rows.enumerated() {
            applyRelu(x.row(r), mask: mask.row(r), width: x.columns, row: number, slot: slot, place: place)
        }
    }

    /// Calls `body(start, count, keep)` for each run of eight columns; inlined, so that nothing is called per element.
    @inline(__always)
    private func forEachEight(
        _ width: Int, _ row: Int, _ slot: UInt32, _ place: UInt32, _ body: (Int, Int, SIMDMask<SIMD8<Int32>>) -> Void
    ) {
        let chunks = (width + 63) / 64
        let limit = SIMD8<UInt32>(repeating: threshold)
        for chunk in 0..<chunks {
            let first = UInt32(truncatingIfNeeded: (row * chunks + chunk) * 8)
            let words = philox.eightBlocks(first: first, place, slot, step)
            let start = chunk * 64
            let end = min(start + 64, width)
            var column = start
            for part in 0..<8 where column < end {
                let word =
                    switch part & 3 {
                    case 0: words.0
                    case 1: words.1
                    case 2: words.2
                    default: words.3
                    }
                let bits = part < 4 ? word & 0xFFFF : word &>> 16
                // Both sides are below 2^16, so a signed comparison is the same and needs one instruction.
                let keep = SIMD8<Int32>(truncatingIfNeeded: bits) .>= SIMD8<Int32>(truncatingIfNeeded: limit)
                body(column, min(8, end - column), keep)
                column += 8
            }
        }
    }
}
