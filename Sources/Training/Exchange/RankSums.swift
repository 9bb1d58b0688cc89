import Foundation
import Kernels
import Synchronization
import Tensors

/// The exact sums of one rank in one step: gradients, losses and counts of all its micro-batches, whichever worker computed
/// them.
///
/// Whole numbers add up to the same whatever the order, so workers add to one buffer as they come. It is cut into stripes with
/// a lock each, and every worker begins at another stripe, so that they seldom meet.
final class RankSums: @unchecked Sendable {
    // Unchecked: while workers add, a stripe is touched under its lock alone; else one thread has the buffer.

    /// Where each number stands.
    let layout: StepSums
    /// The numbers.
    let words: UnsafeMutableBufferPointer<Int64>
    private let stripes: [Stripe]
    /// Of what stands behind the gradients.
    private let tail = Mutex<Void>(())

    private final class Stripe: Sendable {
        let range: Range<Int>
        let lock = Mutex<Void>(())

        init(_ range: Range<Int>) { self.range = range }
    }

    /// Numbers of a stripe, at least: adding them takes longer than taking a lock.
    private static let stripe = 1 << 14

    init(_ layout: StepSums) {
        self.layout = layout
        words = Memory.zeros(Int64.self, count: layout.count, for: .trainables)
        let size = max(Self.stripe, (layout.parameters + 63) / 64)
        stripes = stride(from: 0, to: layout.parameters, by: size).map {
            Stripe($0..<min($0 + size, layout.parameters))
        }
    }

    deinit { if let base = words.baseAddress { Memory.free(base) } }

    /// Sets one of `parts` equal parts to zero.
    func clear(part: Int, of parts: Int) {
        let size = (words.count + parts - 1) / parts
        let range = min(part * size, words.count)..<min((part + 1) * size, words.count)
        UnsafeMutableBufferPointer(rebasing: words[range]).update(repeating: 0)
    }

    /// Adds a micro-batch's gradients as whole numbers, beginning at the stripe that belongs to `part` of `parts`; returns
    /// whether all were finite and of magnitude at most `limit`.
    func add(_ gradients: Arena, limit: Float, part: Int, of parts: Int) -> Bool {
        guard let base = words.baseAddress else { return true }
        var good = true
        for offset in stripes.indices {
            let stripe = stripes[(offset + part * stripes.count / parts) % stripes.count]
            let (start, count) = (stripe.range.lowerBound, stripe.range.count)
            stripe.lock.withLock { _ in
                good = FixedPoint.add(gradients.base + start, to: base + start, count: count, limit: limit) && good
            }
        }
        return good
    }

    /// Runs `body` with what stands behind the gradients, which no other worker touches meanwhile.
    func withTail<R>(_ body: (UnsafeMutableBufferPointer<Int64>) -> R) -> R {
        tail.withLock { _ in body(words) }
    }

    /// The gradients of a range: the sum divided by `divisor`. Overwrites `gradients: [range.count]`.
    func unpack(_ range: Range<Int>, into gradients: UnsafeMutablePointer<Float>, divisor: Double) {
        let factor = FixedPoint.quantum / divisor
        for (target, source) in range.enumerated() { gradients[target] = Float(Double(words[source]) * factor) }
    }
}
