import CVectorKernels
public import Tensors

/// Counter-based dropout: a pure function of (seed, step, slot, place, row, column) decides which elements are dropped.
///
/// An element is kept when its sixteen random bits are at least `threshold = round(rate * 65536)`, and then multiplied by
/// `1 / (1 - threshold/65536)`. The bits are from Philox4x32-10 with the seed as key. Element (row, column) of a tensor of width W
/// is element `e = column % 256` of chunk `row * ceil(W/256) + column/256`. Its high byte is byte `e % 4` of word `e/64` of the
/// block with counter `(32 * chunk + e % 64 / 4, place, slot, step)`; its low byte is at the same place of the block whose counter
/// begins with 16 more. Source of the idea: Srivastava et al., "Dropout", JMLR 2014.
///
/// Only one element in 256 has a high byte that leaves the decision to its low byte, and only then the low byte is drawn.
public struct Dropout: Sendable {
    private let seed: UInt64
    private let step: UInt32
    private let threshold: UInt32
    /// The factor by which kept elements are multiplied.
    public let scale: Float

    /// Creates the dropout of one training step; `rate` in [0, 1).
    public init(seed: UInt64, step: UInt32, rate: Double) {
        precondition(rate >= 0 && rate < 1, "dropout rate outside [0, 1)")
        self.seed = seed
        self.step = step
        threshold = min(UInt32((rate * 65536).rounded()), 65535)
        scale = Float(1 / (1 - Double(threshold) / 65536))
    }

    /// Whether anything is dropped at all.
    public var isActive: Bool { threshold > 0 }

    /// `y = drop(x)` for the rows of one example, numbered from `first`: overwrites `y`; `x` and `y` may be the same. `kept` gets a
    /// bit for each element that is kept.
    public func apply(
        _ x: Matrix, into y: MutableMatrix, first: Int = 0, slot: UInt32, place: UInt32, keeping kept: BitMask? = nil
    ) {
        precondition(x.rows == y.rows && x.columns == y.columns, "dropout between different shapes")
        kept?.check(y)
        var draw = draw(slot, place)
        unsafe cvectorkernels_here().pointee.dropout(
            &draw, x.base, Int64(x.stride), nil, 0, y.base, Int64(y.stride), kept?.row(0), Int64(kept?.stride ?? 0),
            Int64(x.rows), Int64(x.columns), Int64(first))
    }

    /// `y = a + drop(x)` for the rows of one example, numbered from `first`: overwrites `y`; `y` may be the same as `x` or `a`. `kept`
    /// gets a bit for each element that is kept.
    public func applyAdding(
        _ x: Matrix, to a: Matrix, into y: MutableMatrix, first: Int = 0, slot: UInt32, place: UInt32,
        keeping kept: BitMask? = nil
    ) {
        precondition(
            x.rows == y.rows && x.columns == y.columns && a.rows == y.rows && a.columns == y.columns,
            "dropout between different shapes")
        kept?.check(y)
        var draw = draw(slot, place)
        unsafe cvectorkernels_here().pointee.dropout(
            &draw, x.base, Int64(x.stride), a.base, Int64(a.stride), y.base, Int64(y.stride), kept?.row(0),
            Int64(kept?.stride ?? 0), Int64(x.rows), Int64(x.columns), Int64(first))
    }

    /// `x = drop(max(x, 0))` for rows of one example, numbered from 0, in place; `mask` gets a bit for each element that is not 0.
    /// Overwrites these rows of `x` and of the mask.
    public func applyRelu(_ x: MutableMatrix, _ rows: Range<Int>, mask: BitMask, slot: UInt32, place: UInt32) {
        mask.check(x)
        precondition(rows.lowerBound >= 0 && rows.upperBound <= x.rows, "rows outside the matrix")
        guard !rows.isEmpty else { return }
        var draw = draw(slot, place)
        unsafe cvectorkernels_here().pointee.relu(
            &draw, x.row(rows.lowerBound), Int64(x.stride), mask.row(rows.lowerBound), Int64(mask.stride),
            Int64(rows.count), Int64(x.columns), 0)
    }

    private func draw(_ slot: UInt32, _ place: UInt32) -> cvectorkernels_dropout {
        cvectorkernels_dropout(
            key0: UInt32(truncatingIfNeeded: seed), key1: UInt32(truncatingIfNeeded: seed >> 32), place: place,
            slot: slot, step: step, threshold: threshold, scale: scale)
    }
}
