import Randomness
public import Tensors

/// Counter-based dropout: a pure function of (seed, step, slot, place, row, column) decides which elements are dropped.
///
/// Element (row, column) of a tensor of width W uses 16 bits of the Philox block with counter `((row * ceil(W/64) + column/64)
/// * 8 + e % 8, place, slot, step)`, `e = column % 64`: word `e/8 % 4`, the low half for `e < 32`, otherwise the high one. The
/// element is kept when those bits are at least `threshold = round(rate * 65536)`, and then multiplied by `1 / (1 -
/// threshold/65536)`. Source of the idea: Srivastava et al., "Dropout", JMLR 2014.
public struct Dropout: Sendable {
    private let philox: Philox
    private let step: UInt32
    private let threshold: UInt32
    /// The factor by which kept elements are multiplied.
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
            unsafe y.store(zero.replacing(with: x.eight(start, count) * scale, where: keep), start, count)
        }
    }

    /// `y = a + drop(x)` for one row: overwrites `y: [width]`; `y` may be the same as `x` or `a`.
    public func applyAdding(
        _ x: UnsafePointer<Float>, to a: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, width: Int,
        row: Int,
        slot: UInt32, place: UInt32
    ) {
        forEachEight(width, row, slot, place) { start, count, keep in
            let kept = unsafe zero.replacing(with: x.eight(start, count) * scale, where: keep)
            unsafe y.store(a.eight(start, count) + kept, start, count)
        }
    }

    /// `x = drop(max(x, 0))` for one row, in place; `mask` gets a bit for each element that is not 0. Overwrites `x: [width]`
    /// and the mask's row.
    func applyRelu(
        _ x: UnsafeMutablePointer<Float>, mask: UnsafeMutablePointer<UInt8>, width: Int, row: Int, slot: UInt32,
        place: UInt32
    ) {
        var bits = SIMD8<Int32>.zero
        forEachEight(width, row, slot, place) { start, count, keep in
            let lanes = unsafe UnsafePointer(x).eight(start, count)
            let positive = lanes.replacing(with: zero, where: lanes .< zero)
            let value = zero.replacing(with: positive * scale, where: keep)
            unsafe x.store(value, start, count)
            unsafe BitMask.collect(value, column: start, width: width, into: &bits, mask)
        }
    }

    /// `x = drop(max(x, 0))` for rows of one example, numbered from `first`, in place; `mask` as for one row.
    public func applyRelu(_ x: MutableMatrix, _ rows: Range<Int>, mask: BitMask, slot: UInt32, place: UInt32) {
        mask.check(x)
        precondition(rows.lowerBound >= 0 && rows.upperBound <= x.rows, "rows outside the matrix")
        for (number, r) in rows.enumerated() {
            unsafe applyRelu(x.row(r), mask: mask.row(r), width: x.columns, row: number, slot: slot, place: place)
        }
    }

    private var zero: SIMD8<Float> { .zero }

    /// Calls `body(start, count, keep)` for each run of eight columns; inlined, so that there is no call per element.
    ///
    /// `count` is 8, except for the last run when the width is no multiple of 8.
    @inline(__always)
    private func forEachEight(
        _ width: Int, _ row: Int, _ slot: UInt32, _ place: UInt32, _ body: (Int, Int, SIMDMask<SIMD8<Int32>>) -> Void
    ) {
        let chunks = (width + 63) / 64
        // All values are below 2^16, so a signed comparison gives the same result as an unsigned one and needs one instruction.
        let limit = SIMD8<Int32>(repeating: Int32(threshold))
        for chunk in 0..<chunks {
            let first = UInt32(truncatingIfNeeded: (row * chunks + chunk) * 8)
            let words = philox.eightBlocks(first: first, place, slot, step)
            let start = chunk * 64
            if start + 64 <= width {
                body(start, 8, low(words.0) .>= limit)
                body(start + 8, 8, low(words.1) .>= limit)
                body(start + 16, 8, low(words.2) .>= limit)
                body(start + 24, 8, low(words.3) .>= limit)
                body(start + 32, 8, high(words.0) .>= limit)
                body(start + 40, 8, high(words.1) .>= limit)
                body(start + 48, 8, high(words.2) .>= limit)
                body(start + 56, 8, high(words.3) .>= limit)
                continue
            }
            var column = start
            for part in 0..<8 where column < width {
                let word =
                    switch part & 3 {
                    case 0: words.0
                    case 1: words.1
                    case 2: words.2
                    default: words.3
                    }
                body(column, min(8, width - column), (part < 4 ? low(word) : high(word)) .>= limit)
                column += 8
            }
        }
    }

    @inline(__always)
    private func low(_ words: SIMD8<UInt32>) -> SIMD8<Int32> { SIMD8(truncatingIfNeeded: words & 0xFFFF) }

    @inline(__always)
    private func high(_ words: SIMD8<UInt32>) -> SIMD8<Int32> { SIMD8(truncatingIfNeeded: words &>> 16) }
}
