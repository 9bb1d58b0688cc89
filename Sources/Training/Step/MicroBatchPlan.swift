import Backbone
import HeapModule
package import Tasks

/// How the global batch of one step is cut into micro-batches and who computes which.
///
/// The cut is a pure function of the slots, their lengths and `batch.micro`, so a micro-batch is the same whoever computes
/// it; only the assignment looks at the number of ranks, and nothing of the result depends on it. A plan is used for one
/// step after the other and keeps its memory.
package struct MicroBatchPlan {
    /// Slots in a micro-batch, at most.
    private let micro: Int
    /// Which slots become a micro-batch.
    package enum Grouping: Sendable {
        /// Slots change places so that micro-batches cost the same.
        case balanced
        /// Consecutive slots.
        case consecutive
        /// Slots of one task, each task's in order.
        case byTask

        /// That of a run: where a micro-batch is to be of one task, it keeps its slots, or takes those of one task.
        package init(_ granularity: Sampler.Granularity, projectsConflicts: Bool) {
            self = granularity == .microBatch ? .consecutive : projectsConflicts ? .byTask : .balanced
        }
    }

    private let grouping: Grouping
    private var balances: Bool { grouping == .balanced }
    /// The slots, micro-batch by micro-batch.
    private var slots: [Sampler.Slot] = []
    /// First slot of each micro-batch, and the number of slots.
    private var starts: [Int] = []
    /// What each micro-batch costs, in source tokens.
    package private(set) var costs: [Int] = []

    // Memory of `cut` and `share`.
    private var heap = Heap<Key>()
    /// The micro-batches that have room, or the ranks, by cost.
    private var open = Heap<Key>()
    private var owners: [Int] = []
    private var counts: [Int] = []
    /// By task: its micro-batch that is not full, and the slots in that one.
    private var unfilled: [(index: Int, count: Int)] = []

    /// Something to put in order: by `first`, then `second`, then `third`.
    private struct Key: Comparable {
        let first: Int
        var second = 0
        let third: Int

        static func < (a: Key, b: Key) -> Bool { (a.first, a.second, a.third) < (b.first, b.second, b.third) }
    }

    /// A plan of micro-batches of `micro` slots.
    package init(micro: Int, grouping: Grouping) {
        self.micro = micro
        self.grouping = grouping
    }

    /// Number of micro-batches.
    var count: Int { costs.count }

    /// The slots of a micro-batch.
    func slots(of index: Int) -> ArraySlice<Sampler.Slot> { slots[starts[index]..<starts[index + 1]] }

    /// What a slot costs: a target token passes the decoder and the output matrix, about twice the work of a source token.
    private static func cost(_ slot: Sampler.Slot, _ examples: any TrainingExamples) -> Int {
        unsafe examples.source(task: slot.task, example: slot.example).count
            + 2 * examples.target(task: slot.task, example: slot.example).count
    }

    /// Cuts the slots of a step, given in order.
    ///
    /// Balanced, the dearest slot left goes to the cheapest micro-batch that has room; of equals the first. In a
    /// micro-batch slots of one task stand together.
    package mutating func cut(_ all: [Sampler.Slot], examples: any TrainingExamples) {
        costs.removeAll(keepingCapacity: true)
        counts.removeAll(keepingCapacity: true)
        owners.removeAll(keepingCapacity: true)
        if grouping == .byTask { return cutByTask(all, examples) }
        costs.append(contentsOf: repeatElement(0, count: (all.count + micro - 1) / micro))
        counts.append(contentsOf: repeatElement(0, count: costs.count))
        owners.append(contentsOf: repeatElement(0, count: all.count))
        for (position, slot) in all.enumerated() {
            heap.insert(Key(first: balances ? Self.cost(slot, examples) : 0, third: -position))
        }
        open.removeAll { _ in true }
        for index in costs.indices { open.insert(Key(first: 0, third: index)) }
        while let position = heap.popMax().map({ -$0.third }) {
            let owner = balances ? open.removeMin().third : position / micro
            owners[position] = owner
            counts[owner] += 1
            costs[owner] += Self.cost(all[position], examples)
            if balances, counts[owner] < micro { open.insert(Key(first: costs[owner], third: owner)) }
        }
        arrange(all)
    }

    /// Fills the micro-batches of each task with its slots in order.
    private mutating func cutByTask(_ all: [Sampler.Slot], _ examples: any TrainingExamples) {
        unfilled.removeAll(keepingCapacity: true)
        for slot in all {
            while unfilled.count <= slot.task { unfilled.append((0, micro)) }
            if unfilled[slot.task].count == micro {
                unfilled[slot.task] = (costs.count, 0)
                costs.append(0)
                counts.append(0)
            }
            let owner = unfilled[slot.task].index
            unfilled[slot.task].count += 1
            owners.append(owner)
            counts[owner] += 1
            costs[owner] += Self.cost(slot, examples)
        }
        arrange(all)
    }

    /// Puts the slots in order of micro-batch, task and place.
    private mutating func arrange(_ all: [Sampler.Slot]) {
        for (position, slot) in all.enumerated() {
            heap.insert(Key(first: owners[position], second: balances ? slot.task : 0, third: position))
        }
        slots.removeAll(keepingCapacity: true)
        while let key = heap.popMin() { slots.append(all[key.third]) }
        starts.removeAll(keepingCapacity: true)
        starts.append(0)
        for count in counts { starts.append(starts[starts.count - 1] + count) }
    }

    /// Overwrites `mine` with the micro-batches of a rank, dearest first.
    mutating func share(rank: Int, size: Int, into mine: inout [Int]) {
        mine.removeAll(keepingCapacity: true)
        deal(over: size) { index, owner in
            if owner == rank { mine.append(index) }
        }
    }

    /// The micro-batches of every rank, each rank's as `share` gives them.
    package mutating func shares(over size: Int) -> [[Int]] {
        var all = [[Int]](repeating: [], count: size)
        deal(over: size) { index, owner in all[owner].append(index) }
        return all
    }

    /// What the busiest worker of all ranks has to compute, in the unit of `costs`, when each rank has `threads` workers.
    package mutating func busiest(over ranks: Int, threads: Int) -> Int {
        let shares = shares(over: ranks)
        return shares.reduce(0) { most, mine in
            max(most, TakenInTurn.busiest(mine.map { costs[$0] }, workers: threads))
        }
    }

    /// Gives every micro-batch to a rank: the dearest of all to whoever has the least so far; of equal loads to the one with
    /// fewer micro-batches, then to the lower rank. Every rank does all of it in each step, so its time must not grow with
    /// the product of micro-batches and ranks.
    private mutating func deal(over size: Int, _ give: (_ index: Int, _ owner: Int) -> Void) {
        for index in costs.indices { heap.insert(Key(first: costs[index], third: -index)) }
        open.removeAll { _ in true }
        for rank in 0..<max(size, 1) { open.insert(Key(first: 0, third: rank)) }
        while let index = heap.popMax().map({ -$0.third }) {
            let owner = open.removeMin()
            open.insert(Key(first: owner.first + costs[index], second: owner.second + 1, third: owner.third))
            give(index, owner.third)
        }
    }

    /// Overwrites `batch` with the examples of a micro-batch; targets are filled up with `padToken` to `padTargets` tokens
    /// when that is set.
    func assemble(
        _ index: Int, into batch: inout RaggedBatch, examples: any TrainingExamples, padTargets: Int?, padToken: Int32
    ) {
        batch.removeAll()
        for slot in slots(of: index) {
            unsafe batch.append(
                source: examples.source(task: slot.task, example: slot.example),
                target: examples.target(task: slot.task, example: slot.example),
                task: slot.task, slot: UInt32(slot.index))
            if let padTargets { batch.padLastTarget(to: padTargets, with: padToken) }
        }
    }
}
