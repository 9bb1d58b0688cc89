import Adapters
import Backbone
import MPI
import Optimizers
import Runs
import Tasks
import Tensors
import TestSupport
import Testing

@testable import Training

/// Compares the whole step with `ReferenceTraining`, with every option different from its default.
@MainActor @Suite(.serialized) struct TrainerTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var method: String
        var change: @Sendable (inout TrainOptions) -> Void
        var testDescription: String

        init(
            _ method: String, _ what: String, _ change: @escaping @Sendable (inout TrainOptions) -> Void
        ) {
            self.method = method
            self.change = change
            testDescription = "\(method), \(what)"
        }
    }

    /// The warmup has one step, so the steps have the rates 0, peak, and two of the decay.
    private static let options = TrainOptions(
        seed: 6, microBatch: 2, dropout: 0.2, labelSmoothing: 0.15, sumsLoss: false, padTargets: 4, clip: 0.015,
        optimizer: AdamW(beta1: 0.8, beta2: 0.95, epsilon: 3e-4, weightDecay: 0.3),
        schedule: LearningRateSchedule(peak: 0.02, warmup: 1, steps: 5, decay: .linear), check: 5)
    private static let steps = 4
    /// Far above the rounding errors of `Float`, far below the effect of any option.
    private static let tolerance = 2e-4

    private let world: Communicator

    init() throws { world = try TestWorld.world }

    /// Two of the three tasks are drawn, so the tensors of the third only decay.
    private func sampler() throws -> Sampler {
        let mixture = try Mixture(tasks: [("a", 40), ("b", 20)], temperature: 1)
        return try Sampler(seed: 8, mixture: mixture, granularity: .example, batch: 7, micro: 2)
    }

    /// The difference between the program and the reference after `steps` steps: the largest error of each figure, relative to
    /// the largest value of its tensor or step.
    private func compare(
        _ method: String, product: TrainOptions, reference: TrainOptions
    ) throws -> (errors: [String: Double], norms: [Double]) {
        let tiny = TinyTraining(named: method)
        let start = tiny.state.weights.elements.map(Double.init)
        var expected = ReferenceTraining(tiny, reference)
        let trainer = Trainer(
            state: tiny.state, examples: tiny.examples, sampler: try sampler(),
            taskNames: ["a", "b", "c"], options: product, threads: 2, communicator: world)
        var slots = try sampler()
        var (errors, norms) = ([String: Double](), [Double]())
        func note(_ figure: String, _ own: some Collection<Double>, _ other: some Collection<Double>) {
            let worst = largestDifference(own, other)
            let relative = worst == 0 ? 0 : worst / larger(largestMagnitude(other), 1e-30)
            errors[figure] = larger(errors[figure] ?? 0, relative)
        }
        for step in 0..<Self.steps {
            let result = try trainer.step()
            let figures = expected.train(slots.next())
            note("norm", [result.gradientNorm], [figures.norm])
            note("rate", [result.learningRate], [figures.rate])
            note("loss", result.tasks.map { Double($0.lossQuanta) * 0x1p-40 }, figures.losses)
            note("tokens", result.tasks.map { Double($0.tokens) }, figures.tokens.map(Double.init))
            #expect(trainer.state.step == step + 1)
            norms.append(figures.norm)
        }
        for entry in tiny.state.parameters.entries {
            func values(_ arena: Arena) -> [Double] { entry.range.map { Double(arena.base[$0]) } }
            // The change is compared instead of the weight, in which an error would be invisible.
            note(
                "weights", zip(values(trainer.state.weights), start[entry.range]).map(-),
                zip(expected.weights[entry.range], start[entry.range]).map(-))
            note("mean", values(trainer.state.mean), expected.mean[entry.range])
            note("square", values(trainer.state.square), expected.square[entry.range])
        }
        return (errors, norms)
    }

    @Test(arguments: [
        Case("unolora", "clipped mean of padded targets") { _ in },
        Case("unolora", "sum that is not clipped") { options in
            (options.sumsLoss, options.clip, options.optimizer.epsilon) = (true, nil, 1e-2)
        },
        Case("unolora_star", "clipped mean of padded targets") { _ in },
        Case("unolora_star", "clipped sum without padding, cosine") { options in
            (options.sumsLoss, options.clip, options.padTargets) = (true, 0.15, nil)
            options.schedule.decay = .cosine
        },
        Case("lora_per_task", "clipped mean of padded targets") { _ in },
        Case("lora_per_task", "mean below the clip, some targets padded, constant") { options in
            (options.clip, options.padTargets) = (1e3, 2)
            options.schedule.decay = .constant
        },
        Case("hyperformer_pp", "clipped mean of padded targets") { _ in },
        Case("full", "clipped mean of padded targets") { _ in },
    ])
    func `weights and moments are those of the written-out formulas`(_ example: Case) throws {
        var options = Self.options
        example.change(&options)
        let (errors, norms) = try compare(example.method, product: options, reference: options)
        #expect(errors.count == 7)
        for (figure, error) in errors { #expect(error < Self.tolerance, "\(figure): \(error)") }
        // Clipping takes effect in exactly those steps in which it should.
        if let clip = options.clip {
            #expect(norms.allSatisfy { clip < 100 ? $0 > 1.5 * clip : $0 < clip }, "\(norms)")
        }
    }

    /// This guards the test above: if the comparison missed an option, the program could ignore that option.
    @Test(arguments: [
        Case("unolora_star", "seed") { $0.seed = 1 },
        Case("unolora_star", "dropout") { $0.dropout = 0 },
        Case("unolora_star", "label smoothing") { $0.labelSmoothing = 0 },
        Case("unolora_star", "reduction") { $0.sumsLoss = true },
        Case("unolora_star", "padding") { $0.padTargets = nil },
        Case("unolora_star", "clip") { $0.clip = nil },
        Case("unolora_star", "clip of 1") { $0.clip = 1 },
        Case("unolora_star", "beta1") { $0.optimizer.beta1 = 0.9 },
        Case("unolora_star", "beta2") { $0.optimizer.beta2 = 0.999 },
        Case("unolora_star", "epsilon") { $0.optimizer.epsilon = 1e-8 },
        Case("unolora_star", "weight decay") { $0.optimizer.weightDecay = 0.01 },
        Case("unolora_star", "peak") { $0.schedule.peak = 0.021 },
        Case("unolora_star", "warmup") { $0.schedule.warmup = 0 },
        Case("unolora_star", "steps") { $0.schedule.steps = 6 },
        Case("unolora_star", "decay") { $0.schedule.decay = .cosine },
    ])
    func `an option that is ignored would be seen`(_ example: Case) throws {
        var ignored = Self.options
        example.change(&ignored)
        let errors = try compare(example.method, product: Self.options, reference: ignored).errors
        #expect(errors.values.contains { $0 > 10 * Self.tolerance }, "\(errors)")
    }

    @Test func `what asks to stop while a step is computed ends the run after that step`() throws {
        let tiny = TinyTraining()
        let trainer = Trainer(
            state: tiny.state, examples: tiny.examples, sampler: try sampler(),
            taskNames: ["a", "b", "c"], options: Self.options, threads: 1, communicator: world)
        let asks = world.rank == world.size - 1
        let result = try trainer.step(
            stop: asks && trainer.team.total.contains { $0 != 0 } ? .preempted : nil)
        #expect(result.stop == .preempted)
    }

    @Test func `the parts of a reduction give the step's sums again, and no later step sees them`() throws {
        let (measured, plain) = try (trainer(TinyTraining()), trainer(TinyTraining()))
        let result = try measured.step()
        _ = try plain.step()
        let reduction = measured.reduction
        #expect(result.tasks.indices.map { measured.exchange.sums(task: $0) } == result.tasks)
        #expect(reduction.unpack() > 0)
        try reduction.sumRanks()
        #expect(measured.exchange.sums(task: 0).tokens == result.tasks[0].tokens * Int64(world.size))
        reduction.pack()
        #expect(try measured.step() == plain.step())
        #expect(measured.state.digest == plain.state.digest)
    }

    private func trainer(_ tiny: TinyTraining) throws -> Trainer {
        try Trainer(
            state: tiny.state, examples: tiny.examples, sampler: sampler(),
            taskNames: ["a", "b", "c"], options: Self.options, threads: 2, communicator: world)
    }
}
