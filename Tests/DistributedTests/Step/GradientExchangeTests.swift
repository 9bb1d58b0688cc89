import Failures
import Foundation
import Kernels
import MPI
import Randomness
import Runs
import Tensors
import Testing

@testable import Training

@MainActor @Suite(.serialized) struct GradientExchangeTests {
    private let world: Communicator
    private let tiny = TinyTraining()
    private var isLast: Bool { world.rank == world.size - 1 }

    init() throws { world = try TestWorld.world }

    private func exchange(_ sums: RankSums, check: UInt64 = 11) -> GradientExchange {
        GradientExchange(communicator: world, sums: sums, check: check)
    }

    /// The bits of the gradient at the end of an exchange.
    private func gradient(_ sums: RankSums, divisor: Double) -> [UInt32] {
        let arena = Arena(count: sums.layout.parameters)
        sums.unpack(0..<arena.count, into: arena.base, divisor: divisor)
        return arena.elements.map(\.bitPattern)
    }

    private func expect(
        _ exchange: GradientExchange, _ sums: RankSums, equals serial: [Int64], _ comment: Comment
    ) {
        let divisor = 37.0
        let layout = tiny.sums
        let factor = 0x1p-40 / divisor
        let expected = serial[..<layout.parameters].map { Float(Double($0) * factor).bitPattern }
        #expect(gradient(sums, divisor: divisor) == expected, comment)
        for task in 0..<layout.tasks {
            let sums = exchange.sums(task: task)
            #expect(sums.lossQuanta == serial[layout.losses + task], comment)
            #expect(sums.tokens == serial[layout.tokens + task], comment)
            #expect(sums.examples == serial[layout.examples + task], comment)
            #expect(sums.sourceTokens == serial[layout.sourceTokens + task], comment)
        }
    }

    @Test func `the sum has the bits of the serial one whoever has which part`() throws {
        let layout = tiny.sums
        let parts = (0..<13).map { part in
            var stream = RandomStream(seed: 5, purpose: .test, a: UInt32(part))
            // The numbers are as large as the exact sum of 13 parts allows, with both signs.
            return (0..<layout.header).map { _ in Int64(bitPattern: stream.next()) / 32 }
        }
        let serial = (0..<layout.header).map { i in parts.reduce(0) { $0 + $1[i] } }
        let sums = tiny.rankSums()
        let exchange = exchange(sums)
        for shift in 0..<world.size {
            sums.clear(part: 0, of: 1)
            for (part, values) in parts.enumerated() where (part * part + shift) % world.size == world.rank {
                for i in values.indices { sums.words[i] += values[i] }
            }
            try exchange.reduce(isGood: true, step: shift, cursor: 5, stop: nil)
            expect(exchange, sums, equals: serial, "shift \(shift)")
            #expect(!exchange.isBad && exchange.stop == nil)
        }
    }

    @Test func `a step's gradient has the bits of one worker that computes every micro-batch`() throws {
        var plan = tiny.plan(microBatches: 9)
        var mine: [Int] = []
        plan.share(rank: world.rank, size: world.size, into: &mine)
        let serial = tiny.sums(of: Array(0..<9), in: plan, threads: 1)
        let team = tiny.team(threads: 2)
        team.run(plan, mine, examples: tiny.examples, settings: tiny.settings(microBatches: 9))
        let exchange = exchange(team.sums)
        try exchange.reduce(isGood: team.isGood, step: 3, cursor: 5, stop: nil)
        expect(exchange, team.sums, equals: serial, "9 micro-batches")
        #expect(Set(gradient(team.sums, divisor: 1)).count > tiny.sums.parameters / 2)
    }

    private func refusal(step: Int, check: UInt64 = 11, cursor: UInt64 = 5) throws -> Failure? {
        let exchange = exchange(tiny.rankSums(), check: check)
        guard world.size > 1 else {
            // A single rank cannot disagree.
            try exchange.reduce(isGood: true, step: step, cursor: cursor, stop: nil)
            return nil
        }
        return #expect(throws: Failure.self) {
            try exchange.reduce(isGood: true, step: step, cursor: cursor, stop: nil)
        }
    }

    /// A rank's name in messages; all ranks are on one host here.
    private func name(_ rank: Int) -> String { "rank \(rank) on \(ProcessInfo.processInfo.hostName)" }

    @Test func `a rank at another step is refused on every rank by its name`() throws {
        guard let failure = try refusal(step: isLast ? 8 : 7) else { return }
        #expect(failure.code == .ranksDisagree)
        #expect(failure.message.hasPrefix("\(name(world.size - 1)) is at step 8 and \(name(0)) at step 7;"))
        #expect(failure.message.contains("start all ranks with the same"))
    }

    @Test func `steps whose mean is right are refused all the same`() throws {
        // Ranks have the steps 6, 8, 7, 7, ...: the sum of all steps is what ranks at step 7 expect.
        let step = world.rank == 0 ? 6 : world.rank == 1 ? 8 : 7
        guard let failure = try refusal(step: step) else { return }
        let expected =
            world.size < 4
            ? "\(name(1)) is at step 8 and \(name(0)) at step 6;" : "\(name(0)) is at step 6 and \(name(2)) at step 7;"
        #expect(failure.message.hasPrefix(expected))
    }

    @Test func `a rank with another check word is refused on every rank by its name`() throws {
        guard let failure = try refusal(step: 7, check: isLast ? 0xABCD_0123_4567_89AB : 11) else { return }
        #expect(failure.code == .ranksDisagree)
        #expect(
            failure.message.hasPrefix("\(name(world.size - 1)) has another configuration than \(name(0)) at step 7;"))
    }

    @Test func `a rank at other examples is refused on every rank by its name`() throws {
        guard let failure = try refusal(step: 7, cursor: isLast ? 6 : 5) else { return }
        #expect(failure.code == .ranksDisagree)
        #expect(
            failure.message.hasPrefix(
                "\(name(world.size - 1)) is at other examples of the data than \(name(0)) at step 7;"))
    }

    @Test func `one rank's bad value reaches all ranks, and the next step is good again`() throws {
        let exchange = exchange(tiny.rankSums())
        try exchange.reduce(isGood: !isLast, step: 1, cursor: 5, stop: nil)
        #expect(exchange.isBad)
        try exchange.reduce(isGood: true, step: 2, cursor: 5, stop: nil)
        #expect(!exchange.isBad)
    }

    @Test func `a rank's wish to stop reaches all ranks`() throws {
        let exchange = exchange(tiny.rankSums())
        try exchange.reduce(isGood: true, step: 1, cursor: 5, stop: isLast ? .preempted : nil)
        #expect(exchange.stop == .preempted)
        try exchange.reduce(isGood: true, step: 2, cursor: 5, stop: .preempted)
        #expect(exchange.stop == .preempted)
        try exchange.reduce(isGood: true, step: 4, cursor: 5, stop: nil)
        #expect(exchange.stop == nil)
    }
}
