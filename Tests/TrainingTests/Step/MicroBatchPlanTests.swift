import Backbone
import T5
import Tasks
import Testing

@testable import Training

@Suite struct MicroBatchPlanTests {
    /// Example e of task t has (e * 7 + t) % 13 + 1 source and e % 3 + 1 target tokens.
    private final class Examples: TrainingExamples, @unchecked Sendable {
        // Unchecked: only `init` writes the memory.
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

    private func plan(slots: Int, micro: Int, examples: Examples, grouping: MicroBatchPlan.Grouping = .balanced) throws
        -> MicroBatchPlan
    {
        let mixture = try Mixture(tasks: [("a", 50), ("b", 20)], temperature: 1, cap: nil)
        var sampler = try Sampler(seed: 4, mixture: mixture, granularity: .example, batch: slots, micro: micro)
        var plan = MicroBatchPlan(micro: micro, grouping: grouping)
        plan.cut(sampler.next(), examples: examples)
        return plan
    }

    private func sourceLength(_ slot: Sampler.Slot) -> Int { (slot.example * 7 + slot.task) % 13 + 1 }
    private func targetLength(_ slot: Sampler.Slot) -> Int { slot.example % 3 + 1 }
    private func cost(_ slot: Sampler.Slot) -> Int { sourceLength(slot) + 2 * targetLength(slot) }

    @Test(arguments: 1...8)
    func `ranks share all micro-batches, each once`(size: Int) throws {
        var plan = try plan(slots: 32, micro: 4, examples: Examples())
        let shares = (0..<size).map { rank in
            var mine = [99]
            plan.share(rank: rank, size: size, into: &mine)
            return mine
        }
        #expect(shares.joined().sorted() == Array(0..<8))
        #expect(shares.allSatisfy { !$0.isEmpty })
        #expect(plan.shares(over: size) == shares)
        // The rank with the most work had the least before its last micro-batch.
        let loads = shares.map { $0.reduce(0) { $0 + plan.costs[$1] } }
        let mean = plan.costs.reduce(0, +) / size
        #expect((loads.max() ?? 0) <= mean + (plan.costs.max() ?? 0))
    }

    @Test(arguments: [1, 2, 3, 7, 16, 40]) func `the dearest goes to the least loaded, of equals to who has fewer`(
        size: Int
    ) throws {
        var plan = try plan(slots: 64, micro: 4, examples: Examples())
        var (loads, expected) = ([Int](repeating: 0, count: size), [[Int]](repeating: [], count: size))
        for index in plan.costs.indices.sorted(by: { (-plan.costs[$0], $0) < (-plan.costs[$1], $1) }) {
            let owner = loads.indices.min { (loads[$0], expected[$0].count) < (loads[$1], expected[$1].count) } ?? 0
            loads[owner] += plan.costs[index]
            expected[owner].append(index)
        }
        #expect(plan.shares(over: size) == expected)
    }

    @Test func `a micro-batch is assembled from its slots, its targets padded when asked for`() throws {
        let examples = Examples()
        let plan = try plan(slots: 12, micro: 4, examples: examples)
        var (plain, padded) = (RaggedBatch(), RaggedBatch())
        for index in 0..<3 {
            plan.assemble(index, into: &plain, examples: examples, padTargets: nil, padToken: 63)
            let slots = plan.slots(of: index)
            #expect(plain.tasks == slots.map(\.task) && plain.slots == slots.map { UInt32($0.index) })
            #expect(plain.sourceLengths == slots.map(sourceLength))
            #expect(plain.targetLengths == slots.map(targetLength))
            #expect(plain.targets == plain.targetLengths.flatMap { (0..<Int32($0)) })
            // Some targets are shorter than 2, some longer.
            plan.assemble(index, into: &padded, examples: examples, padTargets: 2, padToken: 63)
            #expect(padded == plain.paddingTargets(to: 2, with: 63))
            #expect(padded.targetLengths == slots.map { max(2, targetLength($0)) })
        }
    }

    @Test func `without balance micro-batches are consecutive slots and know their cost`() throws {
        let plan = try plan(slots: 10, micro: 4, examples: Examples(), grouping: .consecutive)
        #expect(plan.count == 3)
        #expect((0..<3).flatMap { plan.slots(of: $0).map(\.index) } == Array(0..<10))
        for index in 0..<3 {
            #expect(plan.costs[index] == plan.slots(of: index).reduce(0) { $0 + cost($1) })
        }
    }

    @Test(arguments: [(32, 8), (30, 8), (64, 4), (7, 7), (5, 1)])
    func `balanced micro-batches hold every slot once, none too many, and cost nearly the same`(
        slots: Int, micro: Int
    ) throws {
        let examples = Examples()
        let plan = try plan(slots: slots, micro: micro, examples: examples)
        let parts = (0..<plan.count).map { Array(plan.slots(of: $0)) }
        #expect(plan.count == (slots + micro - 1) / micro)
        #expect(parts.joined().map(\.index).sorted() == Array(0..<slots))
        for (index, part) in parts.enumerated() {
            #expect((1...micro).contains(part.count))
            #expect(plan.costs[index] == part.reduce(0) { $0 + cost($1) })
            // Slots of one task are adjacent, and in order within the task.
            #expect(part.map { $0.task * 1000 + $0.index } == part.map { $0.task * 1000 + $0.index }.sorted())
        }
        let consecutive = try self.plan(slots: slots, micro: micro, examples: examples, grouping: .consecutive)
        let spread = { (plan: MicroBatchPlan) in (plan.costs.max() ?? 0) - (plan.costs.min() ?? 0) }
        #expect(spread(plan) <= spread(consecutive))
        // No slot costs more than 19.
        if slots % micro == 0, micro > 1 { #expect(spread(plan) <= 19) }
    }

    @Test func `a plan that is used again holds nothing of the step before`() throws {
        let examples = Examples()
        let mixture = try Mixture(tasks: [("a", 50), ("b", 20)], temperature: 1, cap: nil)
        var sampler = try Sampler(seed: 4, mixture: mixture, granularity: .example, batch: 16, micro: 4)
        var reused = MicroBatchPlan(micro: 4, grouping: .balanced)
        for _ in 0..<3 {
            let slots = sampler.next()
            var fresh = MicroBatchPlan(micro: 4, grouping: .balanced)
            reused.cut(slots, examples: examples)
            fresh.cut(slots, examples: examples)
            #expect((0..<4).map { reused.slots(of: $0) } == (0..<4).map { fresh.slots(of: $0) })
            #expect(reused.costs == fresh.costs)
            var (mine, own) = ([0], [0])
            reused.share(rank: 1, size: 3, into: &mine)
            fresh.share(rank: 1, size: 3, into: &own)
            #expect(mine == own)
        }
    }
}
