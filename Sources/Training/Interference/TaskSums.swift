import Failures
import Kernels
import MPI
import Synchronization
import Tensors

/// The exact sums of each task's gradients in one step, of this rank and then over all ranks: `[tasks, trained weights]` in quanta
/// of 2^-40 (`FixedPoint`).
///
/// The sums of the tasks together are the sums of the step, bit for bit, if both were made of the same micro-batches.
final class TaskSums: @unchecked Sendable {
    // Unchecked: while workers add, a stripe is touched under its lock alone; else one thread has the buffer, or each has its part.

    let tasks: Int
    private let trained: TrainedParameters
    private let words: NumberBuffer<Int64>
    private let weights: NumberBuffer<Double>
    private let locks: [Lock]
    private let isBad = Atomic<Bool>(false)

    private final class Lock: Sendable {
        let mutex = Mutex<Void>(())
    }

    /// The locks of a task's sums; each worker begins at another one, so that they seldom meet.
    private static let stripes = 16

    init(tasks: Int, trained: TrainedParameters) {
        self.tasks = tasks
        self.trained = trained
        words = NumberBuffer(count: Self.words(tasks: tasks, parameters: trained.count), for: .trainables)
        weights = NumberBuffer(count: tasks)
        locks = (0..<tasks * Self.stripes).map { _ in Lock() }
    }

    /// Words of the sums; the last one counts ranks that met a number that the sum does not admit.
    static func words(tasks: Int, parameters: Int) -> Int { tasks * parameters + 1 }

    /// Sets one of `parts` equal parts to zero.
    func clear(part: Int, of parts: Int) {
        let size = (words.count + parts - 1) / parts
        let range = min(part * size, words.count)..<min((part + 1) * size, words.count)
        unsafe UnsafeMutableBufferPointer(rebasing: words.elements[range]).update(repeating: 0)
        if part == 0 { isBad.store(false, ordering: .relaxed) }
    }

    /// Adds a micro-batch's gradients to the sums of its task, beginning at the stripe that belongs to `part` of `parts`.
    func add(_ gradients: Arena, task: Int, limit: Float, part: Int, of parts: Int) {
        let size = (trained.count + Self.stripes - 1) / Self.stripes
        for offset in 0..<Self.stripes {
            let stripe = (offset + part * Self.stripes / parts) % Self.stripes
            let range = min(stripe * size, trained.count)..<min((stripe + 1) * size, trained.count)
            locks[task * Self.stripes + stripe].mutex.withLock { _ in
                add(gradients, range, to: task * trained.count, limit)
            }
        }
    }

    private func add(_ gradients: Arena, _ range: Range<Int>, to first: Int, _ limit: Float) {
        trained.forEachRun(in: range) { place, positions in
            guard let base = unsafe words.elements.baseAddress else { return }
            let isGood = unsafe FixedPoint.add(
                gradients.base + place, to: base + first + positions.lowerBound, count: positions.count, limit: limit)
            if !isGood { isBad.store(true, ordering: .relaxed) }
        }
    }

    /// Sums over all ranks; collective. Returns whether every number was admitted; if not, the sums must not be used.
    func reduce(_ communicator: Communicator) throws(Failure) -> Bool {
        words[words.count - 1] = isBad.load(ordering: .relaxed) ? 1 : 0
        try unsafe communicator.allReduceSum(words.elements)
        return words[words.count - 1] == 0
    }

    /// A task's gradients of a range: its sums divided by `divisor`. Overwrites `gradients: [range.count]`.
    func unpack(_ task: Int, _ range: Range<Int>, into gradients: UnsafeMutablePointer<Float>, divisor: Double) {
        let (factor, first) = (FixedPoint.quantum / divisor, task * trained.count)
        for (target, source) in range.enumerated() {
            unsafe gradients[target] = Float(Double(words.elements[first + source]) * factor)
        }
    }

    /// What `combine` multiplies the tasks' sums by.
    func setWeights(_ values: [Double]) {
        for (task, value) in values.enumerated() { weights[task] = value }
    }

    /// The gradients of a range: `sum over tasks of weight * sums`, in double and in the tasks' order, divided by `divisor`.
    /// Overwrites `gradients: [range.count]`.
    func combine(_ range: Range<Int>, into gradients: UnsafeMutablePointer<Float>, divisor: Double) {
        let factor = FixedPoint.quantum / divisor
        for (target, source) in range.enumerated() {
            var sum = 0.0
            for task in 0..<tasks {
                unsafe sum += weights[task] * Double(words.elements[task * trained.count + source])
            }
            unsafe gradients[target] = Float(sum * factor)
        }
    }
}
