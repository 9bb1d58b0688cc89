public import Failures

/// Which examples a step trains on: a pure function of (seed, step, slot in the global batch).
///
/// The stream is the same for any number of ranks and threads, and only the step needs to be saved. A task is drawn per batch,
/// micro-batch or example with the mixture's shares (`TaskDraw`). Each task yields its own examples without replacement in an
/// order that is shuffled again for every pass, so each example occurs once in a pass.
public struct Sampler: Sendable {
    /// How many slots share one draw of a task; the raw value is its name in the configuration.
    public enum Granularity: String, Sendable, CaseIterable {
        /// One task for the whole global batch of a step.
        case batch
        /// One task for each micro-batch.
        case microBatch
        /// One task for each example.
        case example
    }

    /// A place in the global batch of a step and the example in it.
    public struct Slot: Sendable, Equatable {
        /// Place in the global batch, from 0.
        public let index: Int
        /// The task's position in the mixture.
        public let task: Int
        /// The example's position in the task's training examples.
        public let example: Int

        /// Creates a slot.
        public init(index: Int, task: Int, example: Int) {
            self.index = index
            self.task = task
            self.example = example
        }
    }

    /// The last possible step; steps are counted in 32 bits.
    public static let lastStep = Int(UInt32.max)

    /// The step that `next()` will return, from 0.
    public private(set) var step = 0

    /// How many slots share one draw of a task.
    public let granularity: Granularity

    /// The probability with which each task is drawn.
    public let shares: [Double]

    private let draw: TaskDraw
    private let batch: Int
    private let drawInterval: Int
    private var cursors: [ExampleCursor]

    /// Creates the sampler at step 0.
    ///
    /// `batch` examples per step in micro-batches of `micro`; throws `badConfiguration` when one of them is below 1.
    public init(
        seed: UInt64, mixture: Mixture, granularity: Granularity = .batch, batch: Int, micro: Int
    ) throws(Failure) {
        guard batch >= 1, batch <= Int(UInt32.max), micro >= 1 else {
            throw Failure(
                .badConfiguration, "batch.global is \(batch) and batch.micro is \(micro); both must be at least 1")
        }
        shares = mixture.entries.map(\.share)
        draw = TaskDraw(seed: seed, shares: shares)
        self.batch = batch
        self.granularity = granularity
        drawInterval =
            switch granularity {
            case .batch: batch
            case .microBatch: min(micro, batch)
            case .example: 1
            }
        cursors = mixture.entries.enumerated().map { task, entry in
            ExampleCursor(seed: seed, task: UInt32(task), examples: entry.examples)
        }
    }

    /// Returns the slots of the current step in order and advances to the next step.
    public mutating func next() -> [Slot] {
        var slots: [Slot] = []
        next(into: &slots)
        return slots
    }

    /// Overwrites `slots` with those of the current step in order and advances to the next step.
    public mutating func next(into slots: inout [Slot]) {
        precondition(step <= Sampler.lastStep, "the sampler is beyond its last step")
        slots.removeAll(keepingCapacity: true)
        slots.reserveCapacity(batch)
        for first in stride(from: 0, to: batch, by: drawInterval) {
            let task = draw.task(step: UInt32(step), slot: UInt32(first))
            for index in first..<min(first + drawInterval, batch) {
                slots.append(Slot(index: index, task: task, example: cursors[task].next()))
            }
        }
        step += 1
    }

    /// Moves to a step, as if `next()` had been called for all steps before it.
    ///
    /// Only the draws of tasks are replayed; when moving forwards, only those since the current step.
    public mutating func seek(to step: Int) {
        precondition(step >= 0 && step <= Sampler.lastStep + 1, "there is no such step")
        if step < self.step {
            for task in cursors.indices { cursors[task].rewind() }
            self.step = 0
        }
        if cursors.count == 1 {
            cursors[0].skip((step - self.step) * batch)
        } else {
            for first in stride(from: 0, to: batch, by: drawInterval) {
                let examples = min(drawInterval, batch - first)
                let counts = draw.counts(steps: self.step..<step, slot: UInt32(first))
                for task in cursors.indices { cursors[task].skip(counts[task] * examples) }
            }
        }
        self.step = step
    }
}
