import Kernels
import Optimizers
import Tensors

/// The update of a step from its exact sums, on a rank's threads: gradients, their norm, clipping and AdamW.
///
/// Gradients are made of the sums piece by piece and kept nowhere. Every element is computed as one thread would compute it;
/// of the norm's sum see `usualBlock`.
final class StepUpdate: ThreadWork, @unchecked Sendable {
    // Unchecked: a thread has its own piece of memory, and its own elements of the state.
    private let sums: RankSums
    private let state: TrainState
    private let threads: WorkerThreads
    private let threadCount: Int
    private let pieces: [Arena]
    private let norms: NumberBuffer<Double>
    /// The bit sums of the threads' parts of the trained weights.
    private let marks: NumberBuffer<UInt64>
    /// The bit sum of the frozen ones.
    private let frozenMark: UInt64
    /// A number that the weights' bits decide (`BitSum`), which ranks compare: as they were when this was made, then after each
    /// update.
    private(set) var mark: UInt64
    private var order: Order?
    /// The sums of each task of which the gradient is combined; nil for the sums of all tasks together.
    private var combined: TaskSums?

    /// What `callAsFunction` was asked for.
    private struct Order {
        let divisor: Double
        /// nil while norms are computed.
        let update: (step: AdamW.Step, factor: Float?)?
    }

    /// Elements of which the squares are summed one after the other; the sums of blocks are added in order. So the norm does
    /// not depend on the number of threads, and that of any adapter is one sum from its first element to its last.
    static let usualBlock = 1 << 24
    private let block: Int
    /// Elements that are unpacked at once: they stay in a core's first cache.
    static let piece = 1 << 12

    init(
        _ sums: RankSums, _ state: TrainState, _ threads: WorkerThreads, count: Int, block: Int = StepUpdate.usualBlock
    ) {
        self.sums = sums
        self.block = block
        self.state = state
        self.threads = threads
        threadCount = count
        pieces = (0..<count).map { _ in Arena(count: Self.piece, for: .trainables) }
        norms = NumberBuffer(count: (sums.layout.parameters + block - 1) / block)
        marks = NumberBuffer(count: count)
        mark = unsafe BitSum.of(state.weights.base, count: state.weights.count, from: 0)
        frozenMark = state.trained.runs.reduce(mark) { rest, run in
            unsafe rest &- BitSum.of(state.weights.base + run.place, count: run.positions.count, from: run.place)
        }
    }

    /// One update with the sums divided by `divisor`; returns the norm before clipping. `count` counts updates from 1.
    /// `combined`: the tasks' sums, weighted, are taken instead of their plain sum.
    func callAsFunction(
        divisor: Double, clip: Double?, optimizer: AdamW, learningRate: Double, count: Int, combined: TaskSums? = nil
    ) -> Double {
        self.combined = combined
        defer { self.combined = nil }
        let norm = norm(divisor: divisor)
        let factor = GradientClipping.factor(norm: norm, limit: clip)
        order = Order(divisor: divisor, update: (optimizer.step(learningRate: learningRate, count: count), factor))
        threads.run(self)
        order = nil
        mark = unsafe marks.elements.reduce(frozenMark, &+)
        return norm
    }

    /// L2 norm of the sums divided by `divisor`.
    func norm(divisor: Double) -> Double {
        order = Order(divisor: divisor, update: nil)
        threads.run(self)
        order = nil
        return unsafe norms.elements.reduce(0, +).squareRoot()
    }

    /// One thread's part of an order.
    func perform(_ number: Int) {
        guard let order else { return }
        if let (step, factor) = order.update {
            update(step, factor, order.divisor, number)
        } else {
            for block in stride(from: number, to: norms.count, by: threadCount) { square(block, order.divisor, number) }
        }
    }

    private func square(_ block: Int, _ divisor: Double, _ number: Int) {
        var sum = 0.0
        let end = min((block + 1) * self.block, sums.layout.parameters)
        for start in stride(from: block * self.block, to: end, by: Self.piece) {
            let gradients = unsafe unpack(start, end, divisor, number)
            sum = unsafe GradientClipping.addSquares(gradients.base, gradients.count, to: sum)
        }
        norms[block] = sum
    }

    private func update(_ step: AdamW.Step, _ factor: Float?, _ divisor: Double, _ number: Int) {
        // Each thread's elements stand together, so that none writes where another one reads.
        let count = sums.layout.parameters
        let share = (count + threadCount - 1) / threadCount
        let end = min((number + 1) * share, count)
        var mark: UInt64 = 0
        for start in stride(from: number * share, to: end, by: Self.piece) {
            let gradients = unsafe unpack(start, end, divisor, number)
            if let factor { unsafe GradientClipping.scale(gradients.base, gradients.count, by: factor) }
            unsafe state.trained.forEachRun(in: start..<start + gradients.count) { place, positions in
                let first = positions.lowerBound
                unsafe step.apply(
                    state.weights.base + place, gradients: gradients.base + (first - start),
                    mean: state.mean.base + first, square: state.square.base + first, elements: positions.count)
                unsafe mark &+= BitSum.of(state.weights.base + place, count: positions.count, from: place)
            }
        }
        marks[number] = mark
    }

    private func unpack(
        _ start: Int, _ end: Int, _ divisor: Double, _ number: Int
    ) -> (base: UnsafeMutablePointer<Float>, count: Int) {
        let range = start..<min(start + Self.piece, end)
        if let combined {
            unsafe combined.combine(range, into: pieces[number].base, divisor: divisor)
        } else {
            unsafe sums.unpack(range, into: pieces[number].base, divisor: divisor)
        }
        return unsafe (pieces[number].base, range.count)
    }
}
