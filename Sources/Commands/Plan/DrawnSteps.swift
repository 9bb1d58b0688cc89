import Configuration
import Failures
import Tasks
import Training

/// The costs of some steps of a run, drawn, cut and shared out with the trainer's own code, in the unit of
/// `MicroBatchPlan.costs`: a source token, or half a target token.
struct DrawnSteps {
    /// The costs of one step.
    struct Work: Equatable {
        /// Of the worker that has most to do.
        var busiest: Double
        /// Of all workers.
        var all: Double
    }

    /// Draws and cuts the steps of a batch.
    struct Drawer {
        private let examples: any TrainingExamples
        private let ranks: Int
        private let threads: Int
        private var sampler: Sampler
        private var plan: MicroBatchPlan
        private(set) var slots: [Sampler.Slot] = []

        /// - Parameter batch: examples of a step.
        init(
            _ configuration: RunConfiguration, _ mixture: Mixture, _ examples: any TrainingExamples, batch: Int,
            ranks: Int, threads: Int, byTask: Bool = false
        ) throws(Failure) {
            sampler = try configuration.sampler(mixture, batch: batch)
            plan = MicroBatchPlan(
                micro: configuration.microBatch,
                grouping: byTask
                    ? .byTask : .init(sampler.granularity, projectsConflicts: configuration.conflict == .pcgrad))
            (self.examples, self.ranks, self.threads) = (examples, ranks, threads)
        }

        /// The work of a step, counted from 0.
        mutating func work(_ step: Int) -> Work {
            if sampler.step != step { sampler.seek(to: step) }
            sampler.next(into: &slots)
            plan.cut(slots, examples: examples)
            return Work(
                busiest: Double(plan.busiest(over: ranks, threads: threads)), all: Double(plan.costs.reduce(0, +)))
        }
    }

    /// Largest numbers of steps and of examples that are drawn.
    private static let (steps, examples) = (400, 40_000)

    /// How many steps of a batch are drawn, of at most `count`.
    static func number(of count: Int, batch: Int) -> Int { max(1, min(count, steps, examples / batch)) }

    /// The mean work of a step of the run on `ranks` ranks, with what measuring the tasks' gradients adds.
    static func mean(
        _ configuration: RunConfiguration, _ mixture: Mixture, _ examples: any TrainingExamples, ranks: Int,
        threads: Int
    ) throws(Failure) -> Work {
        let count = number(of: configuration.steps, batch: configuration.globalBatch)
        func sum(byTask: Bool) throws(Failure) -> Work {
            var drawer = try Drawer(
                configuration, mixture, examples, batch: configuration.globalBatch, ranks: ranks, threads: threads,
                byTask: byTask)
            return (0..<count).reduce(into: Work(busiest: 0, all: 0)) { sum, step in
                let work = drawer.work(step)
                sum.busiest += work.busiest
                sum.all += work.all
            }
        }
        var mean = try sum(byTask: false)
        if let every = configuration.recomputesEvery {
            let more = try sum(byTask: true)
            let times = Double(configuration.steps / every) / Double(configuration.steps)
            mean.busiest += times * more.busiest
            mean.all += times * more.all
        }
        return Work(busiest: mean.busiest / Double(count), all: mean.all / Double(count))
    }
}
