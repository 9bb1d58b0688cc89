import Adapters
import Backbone
import Kernels
import MPI
import Optimizers
import Randomness
import Runs
import Tasks
import Tensors
import TestSupport
import Testing

@testable import Training

/// How the gradients of tasks go together, measured while training, beside gradients that are computed task by task.
@MainActor @Suite(.serialized) struct InterferenceTests {
    private let world: Communicator
    private static let names = ["a", "b", "c"]

    init() throws { world = try TestWorld.world }

    private static func options(
        every: Int?, projects: Bool = false, microBatch: Int = 2, clip: Double? = 0.05, sumsLoss: Bool = false
    ) -> TrainOptions {
        TrainOptions(
            seed: 6, microBatch: microBatch, dropout: 0.2, labelSmoothing: 0.1, sumsLoss: sumsLoss, clip: clip,
            optimizer: AdamW(beta1: 0.9, weightDecay: 0.1),
            schedule: LearningRateSchedule(peak: 0.02, warmup: 1, steps: 40, decay: .cosine),
            projectsConflicts: projects, interferenceEvery: every, check: 5)
    }

    private static func sampler(_ granularity: Sampler.Granularity) throws -> Sampler {
        let mixture = try Mixture(tasks: [("a", 40), ("b", 20), ("c", 30)], temperature: 2)
        return try Sampler(seed: 8, mixture: mixture, granularity: granularity, batch: 11, micro: 2)
    }

    private func trainer(
        _ tiny: TinyTraining, _ granularity: Sampler.Granularity, _ options: TrainOptions, threads: Int = 2,
        on communicator: Communicator? = nil
    ) throws -> Trainer {
        if granularity == .batch, options.interferenceEvery != nil {
            tiny.state.averages = TaskAverages(tasks: 3, parameters: tiny.state.trained.count)
        }
        return try Trainer(
            state: tiny.state, examples: tiny.examples, sampler: Self.sampler(granularity), taskNames: Self.names,
            options: options, threads: threads, communicator: communicator ?? world)
    }

    /// The gradients of each task's examples in a step, summed, with the present weights: example by example.
    private func gradients(_ tiny: TinyTraining, _ slots: [Sampler.Slot], step: Int) -> [[Double]] {
        let team = tiny.team(threads: 1)
        return (0..<3).map { task in
            let own = slots.filter { $0.task == task }
            var plan = MicroBatchPlan(micro: 1, grouping: .consecutive)
            plan.cut(own, examples: tiny.examples)
            let settings = StepSettings(
                dropout: DropoutKey(seed: 6, step: UInt32(step), rate: 0.2), labelSmoothing: 0.1, padTargets: nil,
                limit: FixedPoint.limit(parts: max(plan.count, 1)))
            team.run(plan, Array(own.indices), examples: tiny.examples, settings: settings)
            return team.total.prefix(tiny.state.trained.count).map { Double($0) * 0x1p-40 }
        }
    }

    private func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    private func cosine(_ a: [Double], _ b: [Double]) -> Double? {
        let lengths = (product(a, a) * product(b, b)).squareRoot()
        return lengths > 0 ? product(a, b) / lengths : nil
    }

    /// Expects each cosine within 1e-5, and absent where it has no meaning.
    private func expectCosines(_ found: [[Double?]], _ vectors: [[Double]], _ comment: Comment) {
        for i in 0..<3 {
            for j in 0..<3 {
                guard let expected = cosine(vectors[i], vectors[j]) else {
                    #expect(found[i][j] == nil, comment)
                    continue
                }
                #expect(found[i][j].map { ($0 - expected).magnitude < 1e-5 } == true, comment)
            }
        }
    }

    @Test(arguments: [Sampler.Granularity.microBatch, .example], ["unolora", "unolora_star", "frozen parts", "full"])
    func `with several tasks in a step it compares the gradients of its examples`(
        granularity: Sampler.Granularity, method: String
    ) throws {
        let tiny = TinyTraining(named: method)
        let trainer = try trainer(tiny, granularity, Self.options(every: 2))
        var slots = try Self.sampler(granularity)
        var pairs = 0
        for step in 0..<6 {
            let drawn = slots.next()
            let vectors = gradients(tiny, drawn, step: step)
            let result = try trainer.step()
            guard let record = trainer.measured else {
                #expect(step % 2 == 0)
                continue
            }
            #expect(step % 2 == 1 && record.step == step + 1 && record.source == .step)
            expectCosines(record.cosines, vectors, "\(method), step \(step)")
            let tokens = result.tasks.map { Double($0.tokens) }
            for task in 0..<3 {
                let norm = product(vectors[task], vectors[task]).squareRoot() / max(tokens[task], 1)
                if norm > 0 { #expect(record.norms[task].map { ($0 / norm - 1).magnitude < 1e-5 } == true) }
                #expect((record.weights[task] - tokens[task] / tokens.reduce(0, +)).magnitude < 1e-12)
            }
            // The weighted mean is the step's own gradient.
            let mean = zip(record.weights, record.norms).reduce(0) { $0 + $1.0 * ($1.1 ?? 0) }
            #expect(record.effectiveStep.map { ($0 * mean / result.gradientNorm - 1).magnitude < 1e-5 } == true)
            pairs += record.cosines[0].count { $0 != nil }
        }
        #expect(pairs > 3)
    }

    @Test(arguments: ["unolora", "frozen parts"])
    func `with one task in a step it compares running averages`(method: String) throws {
        let tiny = TinyTraining(named: method)
        let trainer = try trainer(tiny, .batch, Self.options(every: 5))
        var (slots, averages) = (try Self.sampler(.batch), [[Double]](repeating: [], count: 3))
        var measured = 0
        for step in 0..<20 {
            let drawn = slots.next()
            let task = drawn[0].task
            let sums = gradients(tiny, drawn, step: step)[task]
            let result = try trainer.step()
            let gradient = sums.map { $0 / Double(result.tasks[task].tokens) }
            let before = averages.map { $0.isEmpty ? gradient.map { _ in 0 } : $0 }
            averages[task] =
                averages[task].isEmpty ? gradient : zip(averages[task], gradient).map { 0.9 * $0 + 0.1 * $1 }
            guard let record = trainer.measured else {
                #expect(step % 5 != 4)
                continue
            }
            measured += 1
            expectCosines(
                record.cosines, averages.map { $0.isEmpty ? gradient.map { _ in 0 } : $0 }, "\(method), step \(step)")
            let current = try #require(record.current)
            #expect(current.task == Self.names[task] && record.source == .averages)
            #expect((current.norm / result.gradientNorm - 1).magnitude < 1e-5)
            for other in 0..<3 {
                let expected = cosine(gradient, before[other])
                #expect(
                    expected.map { value in current.cosines[other].map { ($0 - value).magnitude < 1e-5 } ?? false }
                        ?? (current.cosines[other] == nil))
            }
            let shares = try Self.sampler(.batch).shares.enumerated().map { averages[$0].isEmpty ? 0 : $1 }
            let total = shares.reduce(0, +)
            #expect(zip(record.weights, shares).allSatisfy { ($0 - $1 / total).magnitude < 1e-12 })
        }
        #expect(measured == 4)
    }

    @Test(arguments: [Sampler.Granularity.batch, .microBatch, .example], ["unolora_star", "frozen parts"])
    func `training has the same bits, and any number of ranks and threads measures the same`(
        granularity: Sampler.Granularity, method: String
    ) throws {
        func run(
            _ options: TrainOptions, threads: Int, on communicator: Communicator
        ) throws -> (digest: String, records: [InterferenceRecord]) {
            let tiny = TinyTraining(named: method)
            let trainer = try trainer(tiny, granularity, options, threads: threads, on: communicator)
            var records: [InterferenceRecord] = []
            for _ in 0..<8 {
                _ = try trainer.step()
                if let record = trainer.measured { records.append(record) }
            }
            return (tiny.state.digest.hexadecimal, records)
        }
        let alone = try #require(try world.split(color: world.rank, key: 0))
        let plain = try run(Self.options(every: nil), threads: 1, on: alone)
        let measured = try run(Self.options(every: 2), threads: 1, on: alone)
        #expect(plain.digest == measured.digest && plain.records.isEmpty && measured.records.count == 4)
        let together = try run(Self.options(every: 2), threads: 3, on: world)
        #expect(together.digest == plain.digest && together.records == measured.records)
        try alone.free()
    }

    @Test(arguments: [Sampler.Granularity.microBatch, .example])
    func `gradients that conflict are projected as the algorithm says, with the same bits from any ranks`(
        granularity: Sampler.Granularity
    ) throws {
        let tiny = TinyTraining(.unolora)
        let options = Self.options(every: 1, projects: true, clip: nil)
        let trainer = try trainer(tiny, granularity, options)
        var (slots, projected) = (try Self.sampler(granularity), 0)
        for step in 0..<6 {
            let drawn = slots.next()
            let vectors = gradients(tiny, drawn, step: step)
            let before = tiny.state.mean.elements.map(Double.init)
            let result = try trainer.step()
            let expected = Self.projection(vectors, step: step)
            let tokens = result.tasks.reduce(0) { $0 + Double($1.tokens) }
            let norm = product(expected, expected).squareRoot() / tokens
            #expect((result.gradientNorm / norm - 1).magnitude < 1e-5, "step \(step)")
            // The mean of gradients shows the direction too.
            let own = zip(tiny.state.mean.elements, before).map { (Double($0) - 0.9 * $1) / 0.1 * tokens }
            #expect(cosine(own, expected).map { $0 > 1 - 1e-6 } == true, "step \(step)")
            let plain = (0..<expected.count).map { i in vectors.reduce(0) { $0 + $1[i] } }
            if (product(plain, plain).squareRoot() / tokens / norm - 1).magnitude > 1e-3 { projected += 1 }
        }
        #expect(projected > 1)
        let alone = try #require(try world.split(color: world.rank, key: 0))
        let single = TinyTraining(.unolora)
        let other = try self.trainer(single, granularity, options, threads: 1, on: alone)
        for _ in 0..<6 { _ = try other.step() }
        #expect(single.state.digest == tiny.state.digest)
        try alone.free()
    }

    private static func projection(_ gradients: [[Double]], step: Int) -> [Double] {
        var sum = [Double](repeating: 0, count: gradients[0].count)
        for task in gradients.indices {
            var own = gradients[task]
            var stream = RandomStream(seed: 6, purpose: .conflictOrder, a: UInt32(step), b: UInt32(task))
            for other in stream.permutation(gradients.count).map({ Int($0) }) where other != task {
                let along = zip(own, gradients[other]).reduce(0) { $0 + $1.0 * $1.1 }
                guard along < 0 else { continue }
                let factor = along / gradients[other].reduce(0) { $0 + $1 * $1 }
                for i in own.indices { own[i] -= factor * gradients[other][i] }
            }
            for i in sum.indices { sum[i] += own[i] }
        }
        return sum
    }

    @Test func `gradients that do not conflict train as without projection`() throws {
        // All examples of a step are of one task, whatever the others would have.
        func digest(_ projects: Bool) throws -> String {
            let tiny = TinyTraining(.unolora)
            let mixture = try Mixture(tasks: [("a", 40)])
            let trainer = try Trainer(
                state: tiny.state, examples: tiny.examples,
                sampler: Sampler(seed: 8, mixture: mixture, granularity: .microBatch, batch: 11, micro: 2),
                taskNames: Self.names, options: Self.options(every: nil, projects: projects), threads: 2,
                communicator: world)
            for _ in 0..<3 { _ = try trainer.step() }
            return tiny.state.digest.hexadecimal
        }
        #expect(try digest(true) == digest(false))
    }
}
