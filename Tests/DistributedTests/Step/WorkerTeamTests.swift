import Adapters
import Backbone
import Kernels
import Optimizers
import Synchronization
import Tasks
import Tensors
import Testing

@testable import Training

@Suite struct WorkerTeamTests {
    @Test(arguments: ["unolora_star", "hyperformer_pp", "full", "frozen parts"])
    func `micro-batches give the same sums on any number of threads and in any order`(method: String) {
        let tiny = TinyTraining(named: method)
        let plan = tiny.plan(microBatches: 7)
        let reference = tiny.sums(of: Array(0..<7), in: plan, threads: 1)
        for threads in 1...3 {
            #expect(tiny.sums(of: [6, 2, 4, 0, 1, 5, 3], in: plan, threads: threads) == reference)
        }
        // They are computed one by one, so that nothing remains from one micro-batch for the next.
        let single = (0..<7).map { tiny.sums(of: [$0], in: plan, threads: 1) }
        #expect(reference.indices.allSatisfy { i in reference[i] == single.reduce(0) { $0 + $1[i] } })
        #expect(Set(single).count == 7, "every micro-batch has sums of its own")
        #expect(reference[..<tiny.sums.parameters].count { $0 != 0 } > tiny.sums.parameters / 2)
    }

    /// If a thread kept the closure after its signal, the process would end here.
    @Test func `work without escaping can follow upon work, on more threads than cores`() {
        let team = TinyTraining().team(threads: 8)
        for round in 1...5000 {
            let count = Atomic<Int>(0)
            team.team.inParallel { _ in count.add(1, ordering: .relaxed) }
            guard count.load(ordering: .relaxed) == 8 else {
                Issue.record("round \(round): \(count.load(ordering: .relaxed)) of 8 threads")
                return
            }
        }
    }

    /// Many threads take stripes of the sums at the same time; the contribution of each must be in the result.
    @Test func `many threads add to the same sums at once`() {
        let count = 300_000
        let sums = RankSums(StepSums(parameters: count, tasks: 1), GradientBuckets(whole: count))
        for part in 0..<4 { sums.clear(part: part, of: 4) }
        let gradients = (0..<8).map { part in
            let arena = Arena(count: count)
            for i in 0..<count { arena.base[i] = Float(part * 1000 + i % 997) }
            return arena
        }
        let threads = WorkerThreads(count: 8)
        threads.run { part in
            for _ in 0..<5 {
                if !sums.add(gradients[part], limit: 1e6, part: part, of: 8) { Issue.record("too large") }
            }
        }
        var wrong = 0
        for i in 0..<count {
            // Every thread adds its number five times.
            let expected: Int64 = 5 * (28_000 + 8 * Int64(i % 997))
            if sums.words[i] != expected << 40 { wrong += 1 }
        }
        #expect(wrong == 0)
        threads.run { sums.clear(part: $0, of: 8) }
        #expect(sums.words.allSatisfy { $0 == 0 })
    }

    /// In a real run, blocks for the norm are this small only with some 16 million trainables and more.
    @Test func `the update is that of one thread whatever the threads, and the norm's blocks are added in order`()
        throws
    {
        let (divisor, limit, block) = (37.0, 0.01, 100)
        let optimizer = AdamW(weightDecay: 0.1)
        var expected: ContentDigest?
        for threads in 1...3 {
            let tiny = TinyTraining()
            let sums = tiny.rankSums()
            for i in 0..<sums.layout.parameters { sums.words[i] = Int64((i * 7919) % 1001 - 500) << 32 }
            let update = StepUpdate(sums, tiny.state, WorkerThreads(count: threads), count: threads, block: block)
            let gradients = Arena(count: sums.layout.parameters)
            sums.unpack(0..<gradients.count, into: gradients.base, divisor: divisor)
            var blocks = 0.0
            for start in stride(from: 0, to: gradients.count, by: block) {
                blocks += gradients.elements[start..<min(start + block, gradients.count)].reduce(0) {
                    $0 + Double($1) * Double($1)
                }
            }
            let norm = update(
                divisor: divisor, clip: limit, optimizer: optimizer, learningRate: 0.1, count: 1)
            #expect(norm == blocks.squareRoot() && norm > limit)
            if threads == 1 {
                // The same as one thread computes it from arenas.
                let plain = TinyTraining()
                GradientClipping.scale(gradients.base, gradients.count, by: Float(limit / (norm + 1e-6)))
                optimizer.update(
                    plain.state.weights, gradients: gradients, mean: plain.state.mean, square: plain.state.square,
                    learningRate: 0.1, count: 1)
                expected = plain.state.digest
            }
            #expect(tiny.state.digest == expected)
        }
    }

    @Test(arguments: 1...3)
    func `an update changes what is trained as if it were alone, and nothing else`(threads: Int) {
        let tiny = TinyTraining(named: "frozen parts")
        let (trained, before) = (tiny.state.trained, Array(tiny.state.weights.elements))
        #expect(trained.count < before.count && trained.runs.count > 3)
        let sums = tiny.rankSums()
        #expect(sums.layout.parameters == trained.count && sums.words.count == sums.layout.count)
        for i in 0..<trained.count { sums.words[i] = Int64((i * 7919) % 1001 - 500) << 32 }
        // The same numbers in arenas of their own.
        let (weights, gradients) = (Arena(count: trained.count), Arena(count: trained.count))
        let (mean, square) = (Arena(count: trained.count), Arena(count: trained.count))
        for run in trained.runs {
            for (i, position) in run.positions.enumerated() { weights.base[position] = before[run.place + i] }
        }
        sums.unpack(0..<trained.count, into: gradients.base, divisor: 37)
        let expected = gradients.elements.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        let optimizer = AdamW(weightDecay: 0.1)
        let update = StepUpdate(sums, tiny.state, WorkerThreads(count: threads), count: threads)
        #expect(update.mark == BitSum.of(tiny.state.weights.base, count: before.count, from: 0))
        let norm = update(divisor: 37, clip: 0.01, optimizer: optimizer, learningRate: 0.1, count: 1)
        #expect(norm == expected && norm > 0.01)
        GradientClipping.scale(gradients.base, gradients.count, by: Float(0.01 / (norm + 1e-6)))
        optimizer.update(weights, gradients: gradients, mean: mean, square: square, learningRate: 0.1, count: 1)
        var after = before
        for run in trained.runs {
            for (i, position) in run.positions.enumerated() { after[run.place + i] = weights.base[position] }
        }
        #expect(Array(tiny.state.weights.elements) == after && after != before)
        #expect(Array(tiny.state.mean.elements) == Array(mean.elements))
        #expect(Array(tiny.state.square.elements) == Array(square.elements))
        #expect(update.mark == BitSum.of(tiny.state.weights.base, count: before.count, from: 0))
    }

    @Test func `a team is not good where one of its workers is not`() {
        let team = TinyTraining().team(threads: 2)
        #expect(team.isGood)
        team.workers[1].good = false
        #expect(!team.isGood)
    }

    @Test func `losses, tokens and examples are summed for each task`() {
        let tiny = TinyTraining()
        let plan = tiny.plan(microBatches: 5)
        let sums = tiny.sums(of: Array(0..<5), in: plan, threads: 2)
        for task in 0..<TinyTraining.tasks {
            let slots = (0..<plan.count).flatMap { plan.slots(of: $0) }.filter { $0.task == task }
            func count(_ length: (Sampler.Slot) -> Int) -> Int64 { Int64(slots.reduce(0) { $0 + length($1) }) }
            #expect(sums[tiny.sums.examples + task] == Int64(slots.count))
            #expect(
                sums[tiny.sums.tokens + task] == count { tiny.examples.target(task: task, example: $0.example).count })
            #expect(
                sums[tiny.sums.sourceTokens + task]
                    == count { tiny.examples.source(task: task, example: $0.example).count })
            // The cross-entropy of random weights is about log(vocabulary) per token.
            let loss = Double(sums[tiny.sums.losses + task]) * 0x1p-40 / Double(sums[tiny.sums.tokens + task])
            #expect((1...12).contains(loss), "\(loss)")
        }
    }

    @Test func `more threads than micro-batches leave some without work`() {
        let tiny = TinyTraining()
        let plan = tiny.plan(microBatches: 2)
        let team = tiny.team(threads: 3)
        team.run(plan, [0], examples: tiny.examples, settings: tiny.settings(microBatches: 2))
        #expect(team.workers.count { $0.engine.workspace.highWater > 0 } == 1)
        #expect(team.workers.allSatisfy { $0.good })
        #expect(team.total == tiny.sums(of: [0], in: plan, threads: 1))
    }

    @Test func `a micro-batch's loss of one task may reach the limit and not pass it`() throws {
        // Without trainables, only the losses decide.
        let tiny = TinyTraining(.frozen)
        func run(_ slots: [Sampler.Slot], limit: Double = 1e5) -> (good: Bool, losses: [Double]) {
            var plan = MicroBatchPlan(micro: slots.count, grouping: .consecutive)
            plan.cut(slots, examples: tiny.examples)
            var settings = tiny.settings(microBatches: 1)
            settings.limit = Float(limit)
            let team = tiny.team(threads: 1)
            team.run(plan, [0], examples: tiny.examples, settings: settings)
            let sums = team.total
            return (team.workers[0].good, sums[tiny.sums.losses..<tiny.sums.tokens].map { Double($0) * 0x1p-40 })
        }
        func expectLimit(_ slots: [Sampler.Slot], is limit: Double) {
            #expect(run(slots, limit: limit * 1.0001).good)
            #expect(!run(slots, limit: limit * 0.9999).good)
        }
        // Examples of one task count together, although each one is below the limit.
        let one = (0..<3).map { Sampler.Slot(index: $0, task: 1, example: $0) }
        let (good, losses) = run(one)
        let alone = one.map { run([$0]).losses[1] }
        #expect(good && losses[1] > 1.2 * (alone.max() ?? .infinity))
        expectLimit(one, is: losses[1])
        // Each task has its own sum, so each of several tasks may reach the limit of one task.
        let several = (0..<3).map { Sampler.Slot(index: $0, task: $0, example: $0) }
        let each = run(several).losses
        #expect(each.allSatisfy { $0 > 0 })
        expectLimit(several, is: each.max() ?? 0)
    }

    @Test(arguments: 1...3)
    func `a value that is not finite is reported with its micro-batch, and forgotten by the next step`(
        threads: Int
    ) throws {
        let tiny = TinyTraining(.loraPerTask)
        let plan = tiny.plan(microBatches: 6)
        let settings = tiny.settings(microBatches: 6)
        let entry = try #require(tiny.state.parameters.entries.first { $0.name.hasSuffix("lora_B.weight") })
        // The part of the tensor for task 1, whose micro-batches are 1 and 4.
        tiny.state.weights.base[entry.offset + entry.count / TinyTraining.tasks] = .infinity
        let team = tiny.team(threads: threads)
        team.run(plan, [0, 4, 1, 2, 3, 5], examples: tiny.examples, settings: settings)
        let bad = team.workers.filter { !$0.good }
        #expect(!bad.isEmpty)
        #expect(bad.allSatisfy { $0.badMicroBatch == 1 || $0.badMicroBatch == 4 })
        #expect(team.workers.filter { $0.good }.allSatisfy { $0.badMicroBatch == nil })
        if threads == 1 { #expect(bad.first?.badMicroBatch == 4, "the first that was met") }
        team.run(plan, [0, 2, 3, 5], examples: tiny.examples, settings: settings)
        #expect(team.workers.allSatisfy { $0.good && $0.badMicroBatch == nil })
        #expect(team.total == tiny.sums(of: [0, 2, 3, 5], in: plan, threads: 1))
    }

    @Test func `a loss or gradient beyond the range of the exact sum is reported`() {
        let tiny = TinyTraining()
        let plan = tiny.plan(microBatches: 2)
        var settings = tiny.settings(microBatches: 2)
        settings.limit = 0.5
        let team = tiny.team(threads: 1)
        team.run(plan, [1, 0], examples: tiny.examples, settings: settings)
        #expect(!team.workers[0].good && team.workers[0].badMicroBatch == 1)
    }
}
