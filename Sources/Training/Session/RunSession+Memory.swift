import Backbone
import Configuration
package import Failures
import MPI
import Tasks
import Tensors

extension RunSession {
    /// The memory that this rank will need; with `looks` for the lengths in the data, which must all be read for that.
    package func memory(threads: Int, looks: Bool) throws(Failure) -> RankMemory {
        let longest = data.cache.tasks.map(\.longestTarget)
        var batches: RankMemory.Batches?
        if looks {
            var answering: [(lengths: BatchLengths, steps: Int)] = []
            let tasks =
                configuration.evaluatesAtEnd
                ? [.validation, .test].flatMap { evaluationTasks($0) }
                : evaluationTasks(
                    SplitName(rawValue: configuration.evaluationSplit), limit: configuration.evaluationMaxExamples)
            for task in tasks {
                answering.append(
                    RankMemory.Batches.longest(
                        task.gold.indices.map { unsafe task.source($0).count }, batch: configuration.evaluationBatch,
                        steps: task.budget))
            }
            batches = try RankMemory.Batches(
                configuration, mixture: mixture(), examples: data, answering: answering)
        }
        return try RankMemory(
            configuration, shape: base.model.shape, method: base.method, threads: threads, ranks: base.world.size,
            longestTarget: longest.max() ?? 0, batches: batches)
    }

    /// Warnings when this is more than this machine or process may use.
    package func warnings(_ memory: RankMemory, ranksOnNode: Int) -> [String] {
        let shape = base.model.shape
        let shared = shape.weightBytes(configuration.weightFormat) + configuration.packedBytes(base.products, shape)
        return [
            memory.warning(ranks: ranksOnNode, shared: shared, limit: .machine),
            memory.warning(addresses: .addresses, inUse: MemoryLimit.addressesInUse),
        ].compactMap(\.self)
    }
}
