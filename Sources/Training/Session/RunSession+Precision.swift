import Backbone
import Configuration
package import Failures
package import Runs
import Tasks

extension RunSession {
    /// Number of examples on which a run measures its precision at the start: so few that the other ranks hardly wait.
    package static let precisionExamples = 8

    /// Compares the run's products with float32 on `count` training examples. Not collective: the result depends only on the
    /// configuration, the data and the adapter, so one rank measures for all.
    package func precision(_ model: AdaptedModel, step: Int, examples count: Int) throws(Failure) -> PrecisionReport {
        let slots = Self.spread(count, over: base.definitions.indices.map { data.trainingCount(task: $0) })
        var plan = MicroBatchPlan(micro: configuration.microBatch, grouping: .balanced)
        plan.cut(slots, examples: data)
        let comparison = PrecisionComparison(
            model, reference: try base.float32Model(), threads: base.threads)
        for index in 0..<plan.count {
            var batch = RaggedBatch()
            plan.assemble(
                index, into: &batch, examples: data, padTargets: configuration.padTargets,
                padToken: base.model.shape.padToken)
            comparison.add(batch, labelSmoothing: Float(configuration.labelSmoothing))
        }
        return try comparison.report(
            PrecisionReport.Model(storage: configuration.storage, products: base.meaningOfProducts),
            products: base.products, step: step)
    }

    /// Chooses `count` examples: from the tasks in turn, and within a task at equal distances, since files are often sorted.
    /// `available` has the number of examples of each task. The sampler would be no better: it may draw one task for a whole
    /// batch.
    static func spread(_ count: Int, over available: [Int]) -> [Sampler.Slot] {
        let tasks = available.count
        return (0..<count).map { index in
            let task = index % tasks
            let wanted = (count - task + tasks - 1) / tasks
            return Sampler.Slot(index: index, task: task, example: index / tasks * available[task] / wanted)
        }
    }
}
