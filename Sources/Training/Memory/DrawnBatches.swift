package import Backbone
package import Configuration
package import Failures
package import Tasks
import Tensors

extension RankMemory.Batches {
    /// Largest numbers of steps and of examples that are drawn.
    private static let (steps, examples) = (400, 40_000)

    /// The micro-batches of the first steps of a run, drawn and cut with the trainer's own code, and the given batches of
    /// answers.
    package init(
        _ configuration: RunConfiguration, mixture: Mixture, examples: any TrainingExamples,
        answering: [(lengths: BatchLengths, steps: Int)]
    ) throws(Failure) {
        self.answering = answering
        var sampler = try configuration.sampler(mixture)
        var plan = MicroBatchPlan(
            micro: configuration.microBatch,
            grouping: .init(sampler.granularity, projectsConflicts: configuration.conflict == .pcgrad))
        // Where a measured step's examples are computed again, task by task.
        let apart = configuration.recomputesEvery.map { _ in
            MicroBatchPlan(micro: configuration.microBatch, grouping: .byTask)
        }
        var slots: [Sampler.Slot] = []
        for _ in 0..<max(1, min(configuration.steps, Self.steps, Self.examples / configuration.globalBatch)) {
            sampler.next(into: &slots)
            plan.cut(slots, examples: examples)
            add(plan, configuration, examples)
            guard var apartOfStep = apart else { continue }
            apartOfStep.cut(slots, examples: examples)
            add(apartOfStep, configuration, examples)
        }
    }

    /// Adds the micro-batches of a plan.
    private mutating func add(
        _ plan: MicroBatchPlan, _ configuration: RunConfiguration, _ examples: any TrainingExamples
    ) {
        for index in 0..<plan.count {
            var lengths = BatchLengths()
            for slot in plan.slots(of: index) {
                unsafe lengths.append(
                    source: examples.source(task: slot.task, example: slot.example).count,
                    target: max(
                        examples.target(task: slot.task, example: slot.example).count,
                        configuration.padTargets ?? 0))
            }
            training.append(lengths)
        }
    }

    /// The first evaluation batch of a split, which contains the longest examples.
    package static func longest(_ sources: [Int], batch: Int, steps: Int) -> (lengths: BatchLengths, steps: Int) {
        var lengths = BatchLengths()
        for source in sources.sorted(by: >).prefix(batch) { lengths.append(source: source, target: 0) }
        return (lengths, steps)
    }
}

/// Training examples of which only the lengths are known. The lists that it returns are valid as long as this object.
package final class KnownLengths: TrainingExamples {
    private let tokens: NumberBuffer<Int32>
    private let sources: [[Int32]]
    private let targets: [Targets]

    /// The numbers of tokens of a task's targets.
    package enum Targets {
        /// Every target counts as the longest one.
        case longest(Int)
        /// Each example has its own.
        case each([Int32])

        /// The largest number.
        package var longest: Int {
            switch self {
            case .longest(let longest): longest
            case .each(let lengths): Int(lengths.max() ?? 0)
            }
        }
    }

    /// - Parameters:
    ///   - sources: number of tokens of each source, by task.
    ///   - targets: those of the targets, by task.
    package init(sources: [[Int32]], targets: [Targets]) {
        self.sources = sources
        self.targets = targets
        let longestSource: Int32 = sources.lazy.compactMap { $0.max() }.max() ?? 0
        let longest = max(Int(longestSource), targets.lazy.map(\.longest).max() ?? 0)
        tokens = NumberBuffer(count: longest)
    }

    package func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        unsafe tokens.slice(0, Int(sources[task][example]))
    }

    package func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        switch targets[task] {
        case .longest(let longest): unsafe tokens.slice(0, longest)
        case .each(let lengths): unsafe tokens.slice(0, Int(lengths[example]))
        }
    }
}
