import Runs
import Tensors

/// Measures how the gradients of the tasks go together, every few steps.
///
/// Where a step trains one task, every step's gradient becomes part of its task's running average, and the averages are compared;
/// else the gradients of a step are summed task by task in the steps that are measured. No number that training uses is changed.
final class InterferenceMeter: ThreadWork, @unchecked Sendable {
    // Unchecked: a thread has its own piece, and its own elements of the averages.

    /// Steps between measurements.
    private let every: Int
    private let names: [String]
    /// The probability with which each task is drawn.
    private let shares: [Double]
    private let sums: RankSums
    private let averages: TaskAverages?
    private let products: GradientProducts
    private let threads: WorkerThreads
    private let threadCount: Int
    private let pieces: [Arena]
    private var order: (task: Int, divisor: Double)?

    /// Elements that are unpacked at once.
    private static let piece = 1 << 12

    /// - Parameter averages: where each step trains one task; else nil.
    init(
        every: Int, tasks names: [String], shares: [Double], sums: RankSums, averages: TaskAverages?,
        products: GradientProducts, threads: WorkerThreads, count: Int
    ) {
        self.every = every
        self.names = names
        self.shares = shares
        self.sums = sums
        self.averages = averages
        self.products = products
        self.threads = threads
        threadCount = count
        pieces = averages == nil ? [] : (0..<count).map { _ in Arena(count: Self.piece) }
    }

    /// Whether a step, counted from 1, is measured.
    func isDue(_ step: Int) -> Bool { step % every == 0 }

    /// Whether each step trains one task.
    var keepsAverages: Bool { averages != nil }

    /// Adds a step's gradient, which is of one task, to the task's average; returns what was measured if the step is measured.
    /// `divisor`: the label tokens of the step.
    func add(step: Int, task: Int, divisor: Double) -> InterferenceRecord? {
        guard let averages else { return nil }
        let current = isDue(step) ? compare(task, divisor, averages) : nil
        order = (task, divisor)
        threads.run(self)
        order = nil
        averages.count(task)
        guard let current else { return nil }
        let gram = unsafe products(names.count) { task, range, target in
            unsafe Self.read(averages, task, range, target)
        }
        return InterferenceRecord(
            step: step, source: .averages, tasks: names, gram: gram, weights: shares, current: current)
    }

    /// One thread's part of the average that a step changes.
    func perform(_ number: Int) {
        guard let order, let averages else { return }
        let count = sums.layout.parameters
        let share = (count + threadCount - 1) / threadCount
        let end = min((number + 1) * share, count)
        for start in stride(from: number * share, to: end, by: Self.piece) {
            let range = start..<min(start + Self.piece, end)
            unsafe sums.unpack(range, into: pieces[number].base, divisor: order.divisor)
            unsafe averages.add(pieces[number].base, task: order.task, from: start, count: range.count)
        }
    }

    /// The gradient of a step beside the averages of the steps before.
    private func compare(_ task: Int, _ divisor: Double, _ averages: TaskAverages) -> InterferenceRecord.Current {
        let count = names.count
        let gram = unsafe products(count + 1) { [sums] vector, range, target in
            if vector < count {
                unsafe Self.read(averages, vector, range, target)
            } else {
                unsafe sums.unpack(range, into: target, divisor: divisor)
            }
        }
        return InterferenceRecord.Current(
            task: names[task], norm: gram.norm(count), cosines: (0..<count).map { gram.cosine(count, $0) })
    }

    private static func read(
        _ averages: TaskAverages, _ task: Int, _ range: Range<Int>, _ target: UnsafeMutablePointer<Float>
    ) {
        let place = unsafe averages.arenas[task].base + range.lowerBound
        unsafe target.update(from: place, count: range.count)
    }

    /// What a step's sums of each task say; `tokens` are the label tokens of each task.
    func measure(_ taskSums: TaskSums, step: Int, tokens: [Int64]) -> InterferenceRecord {
        let total = Double(max(tokens.reduce(0, +), 1))
        let gram = unsafe products(names.count) { task, range, target in
            unsafe taskSums.unpack(task, range, into: target, divisor: Double(max(tokens[task], 1)))
        }
        return InterferenceRecord(
            step: step, source: .step, tasks: names, gram: gram, weights: tokens.map { Double($0) / total })
    }
}
