import Foundation
import Kernels
import Synchronization
import Tensors

/// The sums of one rank in one step: gradients, losses and counts of all its micro-batches, whichever worker computed them.
///
/// Whole numbers add up to the same whatever the order, so workers add to one buffer as they come. It is cut into stripes with
/// a lock each, and every worker begins at another stripe, so that they seldom meet. Gradients are added bucket by bucket, as a
/// backward completes them.
final class RankSums: @unchecked Sendable {
    // Unchecked: while workers add, a stripe is touched under its lock alone; a bucket to which all micro-batches have been
    // added belongs to whoever sums it over the ranks; else one thread has the buffers.

    /// Where each number stands.
    let layout: StepSums
    /// The gradients' pieces.
    let buckets: GradientBuckets
    private let wordMemory: NumberBuffer<Int64>
    private let floatMemory: NumberBuffer<Float>
    /// Whole numbers: the gradients where their sum is exact, and what stands behind them.
    var words: UnsafeMutableBufferPointer<Int64> { unsafe wordMemory.elements }
    /// The gradients where their sum is `fast`; else empty.
    var floats: UnsafeMutableBufferPointer<Float> { unsafe floatMemory.elements }
    /// Is signalled for each of the first `awaited` buckets in turn, when all micro-batches of a step have been added to it.
    let completed = DispatchSemaphore(value: 0)
    /// How many buckets somebody waits for in every step: a signal that nobody takes would be taken for one of the next step.
    var awaited = 0
    private let pieces: [Piece]
    /// Of what stands behind the gradients.
    private let tail = Mutex<Void>(())

    /// A bucket: its stripes, and how many micro-batches are still to be added.
    private final class Piece: Sendable {
        let stripes: [Stripe]
        let missing = Atomic<Int>(0)

        init(_ stripes: [Stripe]) { self.stripes = stripes }
    }

    private final class Stripe: Sendable {
        let range: Range<Int>
        let lock = Mutex<Void>(())

        init(_ range: Range<Int>) { self.range = range }
    }

    /// Numbers of a stripe, at least: adding them takes longer than taking a lock.
    private static let stripe = 1 << 14

    init(_ layout: StepSums, _ buckets: GradientBuckets) {
        self.layout = layout
        self.buckets = buckets
        wordMemory = NumberBuffer(count: layout.count, for: .trainables)
        floatMemory = NumberBuffer(count: layout.gradients == .fast ? layout.parameters : 0, for: .trainables)
        pieces = buckets.all.map { bucket in
            let size = max(Self.stripe, (bucket.range.count + 63) / 64)
            return Piece(
                stride(from: bucket.range.lowerBound, to: bucket.range.upperBound, by: size).map {
                    Stripe($0..<min($0 + size, bucket.range.upperBound))
                })
        }
    }

    /// Sets one of `parts` equal parts to zero.
    func clear(part: Int, of parts: Int) {
        unsafe Self.clear(words, part, parts)
        unsafe Self.clear(floats, part, parts)
    }

    private static func clear<Number: Numeric>(
        _ numbers: UnsafeMutableBufferPointer<Number>, _ part: Int, _ parts: Int
    ) {
        let size = (numbers.count + parts - 1) / parts
        let range = min(part * size, numbers.count)..<min((part + 1) * size, numbers.count)
        unsafe UnsafeMutableBufferPointer(rebasing: numbers[range]).update(repeating: 0)
    }

    /// Begins a step in which so many micro-batches are added to every bucket; after `clear`.
    func begin(microBatches: Int) {
        for (bucket, piece) in pieces.enumerated() {
            piece.missing.store(microBatches, ordering: .relaxed)
            if microBatches == 0, bucket < awaited { completed.signal() }
        }
    }

    /// Adds a micro-batch's gradients of one bucket, beginning at the stripe that belongs to `part` of `parts`; returns whether
    /// all were finite and of magnitude at most `limit`.
    func add(_ gradients: Arena, bucket: Int, limit: Float, part: Int, of parts: Int) -> Bool {
        let piece = pieces[bucket]
        var good = true
        for offset in piece.stripes.indices {
            let stripe = piece.stripes[(offset + part * piece.stripes.count / parts) % piece.stripes.count]
            stripe.lock.withLock { _ in good = add(gradients, stripe.range, limit) && good }
        }
        // What this thread has added is seen by whoever is told that the bucket is complete.
        let isLast = piece.missing.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0
        if isLast, bucket < awaited { completed.signal() }
        return good
    }

    /// Adds a micro-batch's gradients of all buckets.
    func add(_ gradients: Arena, limit: Float, part: Int, of parts: Int) -> Bool {
        buckets.all.indices.reduce(true) { add(gradients, bucket: $1, limit: limit, part: part, of: parts) && $0 }
    }

    private func add(_ gradients: Arena, _ range: Range<Int>, _ limit: Float) -> Bool {
        var good = true
        buckets.trained.forEachRun(in: range) { place, positions in
            let (source, count) = unsafe (gradients.base + place, positions.count)
            switch layout.gradients {
            case .exact:
                guard let base = unsafe words.baseAddress else { return }
                good =
                    unsafe FixedPoint.add(source, to: base + positions.lowerBound, count: count, limit: limit) && good
            case .fast:
                guard let base = unsafe floats.baseAddress else { return }
                good = unsafe FloatSum.add(source, to: base + positions.lowerBound, count: count, limit: limit) && good
            }
        }
        return good
    }

    /// Runs `body` with what stands behind the gradients, which no other worker touches meanwhile.
    func withTail<R>(_ body: (UnsafeMutableBufferPointer<Int64>) -> R) -> R {
        tail.withLock { _ in unsafe body(words) }
    }

    /// The gradients of a range: the sum divided by `divisor`. Overwrites `gradients: [range.count]`.
    func unpack(_ range: Range<Int>, into gradients: UnsafeMutablePointer<Float>, divisor: Double) {
        switch layout.gradients {
        case .exact:
            let (words, factor) = unsafe (words, FixedPoint.quantum / divisor)
            for (target, source) in range.enumerated() {
                unsafe gradients[target] = Float(Double(words[source]) * factor)
            }
        case .fast:
            let (floats, factor) = unsafe (floats, 1 / divisor)
            for (target, source) in range.enumerated() {
                unsafe gradients[target] = Float(Double(floats[source]) * factor)
            }
        }
    }
}
