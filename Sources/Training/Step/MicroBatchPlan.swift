import T5
import Tasks

/// How the global batch of one step is cut into micro-batches and who computes which.
///
/// The cut is a pure function of the slots and `batch.micro`, so a micro-batch is the same whoever computes it; only the
/// assignment looks at the number of ranks, and nothing of the result depends on it.
struct MicroBatchPlan {
    /// The slots of each micro-batch, consecutive in the global batch.
    let microBatches: [ArraySlice<Sampler.Slot>]
    /// Source and target tokens of each micro-batch.
    let tokens: [Int]

    init(slots: [Sampler.Slot], micro: Int, examples: any TrainingExamples) {
        microBatches = stride(from: 0, to: slots.count, by: micro).map { slots[$0..<min($0 + micro, slots.count)] }
        tokens = microBatches.map { batch in
            batch.reduce(0) {
                $0 + examples.source(task: $1.task, example: $1.example).count
                    + examples.target(task: $1.task, example: $1.example).count
            }
        }
    }

    /// The micro-batches of a rank, largest first: the largest of all goes to whoever has the fewest tokens so far.
    func share(rank: Int, size: Int) -> [Int] {
        var loads = [Int](repeating: 0, count: size)
        var counts = [Int](repeating: 0, count: size)
        var mine: [Int] = []
        let order = tokens.indices.sorted { (tokens[$0], $1) > (tokens[$1], $0) }
        for index in order {
            // Equal loads: the one with fewer micro-batches, then the lower rank.
            let owner = (0..<size).min { (loads[$0], counts[$0], $0) < (loads[$1], counts[$1], $1) } ?? 0
            loads[owner] += tokens[index]
            counts[owner] += 1
            if owner == rank { mine.append(index) }
        }
        return mine
    }

    /// The ragged batch of a micro-batch; targets are filled up with `padToken` to `padTargets` tokens when that is set.
    func assemble(
        _ index: Int, examples: any TrainingExamples, padTargets: Int?, padToken: Int32
    ) -> RaggedBatch {
        var batch = RaggedBatch()
        for slot in microBatches[index] {
            batch.append(
                source: examples.source(task: slot.task, example: slot.example),
                target: examples.target(task: slot.task, example: slot.example),
                task: slot.task, slot: UInt32(slot.index))
        }
        guard let padTargets else { return batch }
        return batch.paddingTargets(to: padTargets, with: padToken)
    }
}
