import Backbone
import Failures
import Foundation
import Heartbeat
import Kernels
import MPI
import Optimizers
import Tasks
import Tensors
import Testing
import ToyMethod

@testable import Training

/// `parallel.reduction: fast`: gradients summed in float32.
@MainActor @Suite(.serialized) struct FastSumTests {
    private let world: Communicator

    init() throws { world = try TestWorld.world }

    /// The state after four steps of a method, and the gradient norm of each step.
    private func train(
        _ sum: GradientSum, on communicator: Communicator, threads: Int = 1, bucket: Int? = nil, overlaps: Bool = false
    ) throws -> (state: TrainState, norms: [Double]) {
        let tiny = TinyTraining { TrainedTensors(on: $0) { _ in true } }
        let mixture = try Mixture(tasks: [("a", 40), ("b", 20), ("c", 30)], temperature: 2)
        let trainer = try Trainer(
            state: tiny.state, examples: tiny.examples,
            sampler: Sampler(seed: 8, mixture: mixture, granularity: .example, batch: 11, micro: 2),
            taskNames: ["a", "b", "c"],
            options: TrainOptions(
                seed: 6, microBatch: 2, dropout: 0.2, labelSmoothing: 0.1, clip: 0.05,
                // Epsilon is so large that differences of rounding do not grow.
                optimizer: AdamW(epsilon: 1e-3, weightDecay: 0.1),
                schedule: LearningRateSchedule(peak: 0.01, warmup: 1, steps: 8, decay: .cosine),
                gradientSum: sum, check: 5),
            threads: threads, communicator: communicator, bucket: bucket, overlaps: overlaps)
        var norms: [Double] = []
        for _ in 0..<4 { norms.append(try trainer.step().gradientNorm) }
        return (tiny.state, norms)
    }

    private func largestDifference(_ a: Arena, _ b: Arena) -> Float {
        zip(a.elements, b.elements).reduce(0) { worst, pair in
            let difference = (pair.0 - pair.1).magnitude
            return difference <= worst ? worst : difference
        }
    }

    @Test(arguments: [1, 3], [nil, 300])
    func `it trains as the exact sum does but for rounding, and all ranks alike`(threads: Int, bucket: Int?) throws {
        let exact = try train(.exact, on: world)
        let overlaps = try bucket != nil && TestWorld.started.threadLevel == .multiple
        let fast = try train(.fast, on: world, threads: threads, bucket: bucket, overlaps: overlaps)
        let start = TinyTraining { TrainedTensors(on: $0) { _ in true } }.state
        let moved = largestDifference(exact.state.weights, start.weights)
        let apart = largestDifference(exact.state.weights, fast.state.weights)
        #expect(moved > 1e-3 && apart < 2e-4 * moved, "\(apart) of \(moved)")
        #expect(zip(exact.norms, fast.norms).allSatisfy { ($0 - $1).magnitude < 1e-5 * $0 })
        let digests = try world.allGather(fast.state.digest.hexadecimal)
        #expect(Set(digests).count == 1)
    }

    @Test func `a value beyond the range is refused as in the exact sum`() {
        let tiny = TinyTraining { TrainedTensors(on: $0) { _ in true } }
        let sums = tiny.rankSums(.fast, least: 50)
        let gradients = Arena(count: tiny.state.weights.count)
        for value in [Float.infinity, .nan, -3] {
            gradients.clear()
            #expect(sums.add(gradients, limit: 2, part: 0, of: 1))
            gradients.base[gradients.count / 2] = value
            #expect(!sums.add(gradients, limit: 2, part: 0, of: 1), "\(value)")
        }
    }

    @Test func `many threads add to the same sums at once`() {
        let count = 200_000
        let sums = RankSums(
            StepSums(parameters: count, tasks: 1, gradients: .fast), GradientBuckets(whole: count))
        let gradients = (0..<8).map { part in
            let arena = Arena(count: count)
            // Whole numbers, whose sums are exact in float32.
            for i in 0..<count { arena.base[i] = Float(part * 1000 + i % 997) }
            return arena
        }
        WorkerThreads(count: 8).run { part in
            for _ in 0..<5 where !sums.add(gradients[part], limit: 1e6, part: part, of: 8) {
                Issue.record("too large")
            }
        }
        let wrong = (0..<count).count { sums.floats[$0] != Float(5 * (28_000 + 8 * ($0 % 997))) }
        #expect(wrong == 0)
        let unpacked = Arena(count: 3)
        sums.unpack(5..<8, into: unpacked.base, divisor: 8)
        #expect((0..<3).allSatisfy { unpacked.base[$0] == Float(5 * (28_000 + 8 * (5 + $0))) / 8 })
        sums.clear(part: 0, of: 1)
        #expect(sums.floats.allSatisfy { $0 == 0 })
    }

    @Test func `half of the bytes go over the wire`() {
        let exact = StepSums(parameters: 1000, tasks: 2)
        let fast = StepSums(parameters: 1000, tasks: 2, gradients: .fast)
        #expect(exact.bytes - fast.bytes == 4000 && exact.bytes == 8000 + 8 * (4 * 2 + 5))
        #expect(fast.losses == 0 && fast.count == 13)
    }

    /// Nothing else would notice such a rank: the ranks would go on with different weights.
    @Test func `a rank with other weights is refused by its name`() throws {
        guard world.size > 1 else { return }
        let tiny = TinyTraining()
        let exchange = GradientExchange(communicator: world, sums: tiny.rankSums(.fast), check: 11)
        let isLast = world.rank == world.size - 1
        try exchange.reduce(isGood: true, step: 6, cursor: 5, weights: 3, stop: nil)
        let failure = try #require(
            #expect(throws: Failure.self) {
                try exchange.reduce(isGood: true, step: 7, cursor: 5, weights: isLast ? 4 : 3, stop: nil)
            })
        #expect(failure.code == .ranksDisagree)
        let host = ProcessInfo.processInfo.hostName
        #expect(
            failure.message.hasPrefix("rank \(world.size - 1) on \(host) has other weights than rank 0 on"))
        #expect(failure.message.contains("parallel.reduction exact"))
    }

    /// Memory that fails, or an MPI that sums floats differently: one bit of one weight, however small its gradient.
    @Test(arguments: [GradientSum.exact, .fast])
    func `one bit of one weight that differs ends the training in the next step`(sum: GradientSum) throws {
        guard world.size > 1 else { return }
        let tiny = TinyTraining()
        let mixture = try Mixture(tasks: [("a", 40), ("b", 20), ("c", 30)], temperature: 2)
        func trainer() throws -> Trainer {
            try Trainer(
                state: tiny.state, examples: tiny.examples,
                sampler: Sampler(seed: 8, mixture: mixture, granularity: .example, batch: 11, micro: 2),
                taskNames: ["a", "b", "c"],
                options: TrainOptions(
                    seed: 6, microBatch: 2, dropout: 0,
                    schedule: LearningRateSchedule(peak: 0.01, warmup: 0, steps: 8, decay: .constant),
                    gradientSum: sum),
                threads: 2, communicator: world)
        }
        for _ in 0..<2 { _ = try trainer().step() }
        let isLast = world.rank == world.size - 1
        if isLast {
            let weight = tiny.state.weights.base + tiny.state.weights.count / 2
            weight.pointee = Float(bitPattern: weight.pointee.bitPattern ^ 1)
        }
        // A trainer that begins with the weights as they are, as after a resume.
        let present = try trainer()
        let failure = try #require(#expect(throws: Failure.self) { _ = try present.step() })
        // The others wait there for the rank that is named.
        if isLast { try world.barrier() }
        #expect(failure.code == .ranksDisagree)
        #expect(failure.message.contains("rank \(world.size - 1) on "), "\(failure.message)")
        #expect(failure.message.contains("has other weights than rank 0 on "), "\(failure.message)")
    }

    @Test func `the update tells the bits of the weights, however many threads it has`() throws {
        let one = try train(.exact, on: world, threads: 1)
        let expected = BitSum.of(one.state.weights.base, count: one.state.weights.count, from: 0)
        for threads in 1...3 {
            let tiny = TinyTraining { TrainedTensors(on: $0) { _ in true } }
            let sums = tiny.rankSums()
            for i in 0..<sums.layout.parameters { sums.words[i] = Int64((i * 7919) % 1001 - 500) << 32 }
            let update = StepUpdate(sums, tiny.state, WorkerThreads(count: threads), count: threads)
            #expect(update.mark == BitSum.of(tiny.state.weights.base, count: tiny.state.weights.count, from: 0))
            _ = update(divisor: 3, clip: nil, optimizer: AdamW(), learningRate: 0.1, count: 1)
            let after = BitSum.of(tiny.state.weights.base, count: tiny.state.weights.count, from: 0)
            #expect(update.mark == after && after != expected)
        }
    }

    /// Else a job whose network is slow would be ended, since all its ranks only wait.
    @Test func `every bucket that is summed in the background is a sign of progress`() throws {
        guard world.size > 1, try TestWorld.started.threadLevel == .multiple else { return }
        let tiny = TinyTraining { TrainedTensors(on: $0) { _ in true } }
        let sums = tiny.rankSums(.fast, least: 100)
        let exchange = GradientExchange(communicator: world, sums: sums, check: 11, overlaps: true)
        let before = Heartbeat.beats
        exchange.begin()
        sums.begin(microBatches: 0)
        try exchange.reduce(isGood: true, step: 1, cursor: 5, stop: nil)
        #expect(sums.buckets.all.count > 5 && Heartbeat.beats - before >= sums.buckets.all.count)
        // Without `begin` everything is summed at the end.
        try exchange.reduce(isGood: true, step: 2, cursor: 5, stop: nil)
    }
}
