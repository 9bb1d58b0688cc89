import Tasks
import Testing

@testable import Training

@Suite struct MicroBatchPlanTests {
    /// Example e of task t has (e * 7 + t) % 13 + 1 source and e % 3 + 1 target tokens.
    private final class Examples: TrainingExamples, @unchecked Sendable {
        // Unchecked: the memory is written in `init` alone.
        private let memory: UnsafeMutableBufferPointer<Int32>

        init() {
            memory = .allocate(capacity: 64)
            for i in memory.indices { memory[i] = Int32(i) }
        }

        deinit { memory.deallocate() }

        private func first(_ count: Int) -> UnsafeBufferPointer<Int32> {
            UnsafeBufferPointer(rebasing: memory[..<count])
        }
        func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32> { first((example * 7 + task) % 13 + 1) }
        func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32> { first(example % 3 + 1) }
    }

    private func plan(slots: Int, micro: Int, examples: Examples) throws -> MicroBatchPlan {
        let mixture = try Mixture(tasks: [("a", 50), ("b", 20)], temperature: 1, cap: nil)
        var sampler = try Sampler(seed: 4, mixture: mixture, granularity: .example, batch: slots, micro: micro)
        return MicroBatchPlan(slots: sampler.next(), micro: micro, examples: examples)
    }

    @Test(arguments: 1...8)
    func `ranks share all micro-batches, each once`(size: Int) throws {
        let plan = try plan(slots: 32, micro: 4, examples: Examples())
        let shares = (0..<size).map { plan.share(rank: $0, size: size) }
        #expect(shares.joined().sorted() == Array(0..<8))
        #expect(shares.allSatisfy { !$0.isEmpty })
        // Whoever has the most had the least before its last micro-batch.
        let loads = shares.map { $0.reduce(0) { $0 + plan.tokens[$1] } }
        let mean = plan.tokens.reduce(0, +) / size
        #expect((loads.max() ?? 0) <= mean + (plan.tokens.max() ?? 0))
    }

    @Test func `a micro-batch is assembled from its slots, its targets padded when asked for`() throws {
        let examples = Examples()
        let plan = try plan(slots: 12, micro: 4, examples: examples)
        for index in 0..<3 {
            let plain = plan.assemble(index, examples: examples, padTargets: nil, padToken: 63)
            let slots = plan.microBatches[index]
            #expect(plain.tasks == slots.map(\.task) && plain.slots == slots.map { UInt32($0.index) })
            #expect(plain.sourceLengths == slots.map { ($0.example * 7 + $0.task) % 13 + 1 })
            #expect(plain.targetLengths == slots.map { $0.example % 3 + 1 })
            #expect(plain.targets == plain.targetLengths.flatMap { (0..<Int32($0)) })
            // Some targets are shorter than 2, some longer.
            let padded = plan.assemble(index, examples: examples, padTargets: 2, padToken: 63)
            #expect(padded == plain.paddingTargets(to: 2, with: 63))
            #expect(padded.targetLengths == slots.map { max(2, $0.example % 3 + 1) })
        }
    }

    @Test func `micro-batches are consecutive slots and hold their tokens`() throws {
        let examples = Examples()
        let plan = try plan(slots: 12, micro: 4, examples: examples)
        #expect(plan.microBatches.flatMap { $0.map(\.index) } == Array(0..<12))
        for (slots, tokens) in zip(plan.microBatches, plan.tokens) {
            let counted = slots.map {
                examples.source(task: $0.task, example: $0.example).count
                    + examples.target(task: $0.task, example: $0.example).count
            }
            #expect(tokens == counted.reduce(0, +))
        }
    }
}
