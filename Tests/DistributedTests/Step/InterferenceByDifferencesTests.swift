import Adapters
import Backbone
import Kernels
import MPI
import Optimizers
import Runs
import T5
import Tasks
import Tensors
import Testing

@testable import Training

/// What is measured while training, beside gradients that no backward computed: central differences of the loss.
///
/// The activation is the smooth one: where a difference crosses the corner of a ReLU it is not the slope. The loss of an example is
/// computed in single precision; of about 10, it has an error of 1e-6, which a step of 2^-7 makes 1e-4
/// in an element of a gradient, and 2e-3 in the length of all 288. What is compared may differ by 3e-3 of that of a summed loss, which
/// counts most where a gradient is small, and by 1e-3 of its size.
@MainActor @Suite(.serialized) struct InterferenceByDifferencesTests {
    private let world: Communicator
    private static let (names, tolerance, error) = (["a", "b", "c"], 1e-3, 3e-3)
    private static let dropout = 0.2

    init() throws { world = try TestWorld.world }

    private static func sampler(_ granularity: Sampler.Granularity) throws -> Sampler {
        let mixture = try Mixture(tasks: [("a", 40), ("b", 20), ("c", 30)], temperature: 2)
        return try Sampler(seed: 8, mixture: mixture, granularity: granularity, batch: 11, micro: 2)
    }

    private func trainer(_ tiny: TinyTraining, _ granularity: Sampler.Granularity) throws -> Trainer {
        if granularity == .batch {
            tiny.state.averages = TaskAverages(tasks: 3, parameters: tiny.state.trained.count)
        }
        let options = TrainOptions(
            seed: 6, microBatch: 2, dropout: Self.dropout, labelSmoothing: 0.1, clip: 0.05,
            optimizer: AdamW(beta1: 0.9, weightDecay: 0.1),
            schedule: LearningRateSchedule(peak: 0.02, warmup: 1, steps: 40, decay: .cosine), interferenceEvery: 1,
            check: 5)
        return try Trainer(
            state: tiny.state, examples: tiny.examples, sampler: Self.sampler(granularity), taskNames: Self.names,
            options: options, threads: 2, communicator: world)
    }

    /// The summed loss of each task's examples in a step, with the present weights.
    private func losses(_ tiny: TinyTraining, _ slots: [Sampler.Slot], _ engine: any BackboneEngine, step: Int)
        -> [Double]
    {
        var losses = [0.0, 0, 0]
        let dropout = DropoutKey(seed: 6, step: UInt32(step), rate: Self.dropout)
        for slot in slots {
            var batch = RaggedBatch()
            batch.append(
                source: tiny.examples.source(task: slot.task, example: slot.example),
                target: tiny.examples.target(task: slot.task, example: slot.example), task: slot.task,
                slot: UInt32(slot.index))
            losses[slot.task] += engine.forward(batch, dropout: dropout, labelSmoothing: 0.1).sum
        }
        return losses
    }

    /// The gradient of each task's summed loss: four losses for each element, so that the third derivative cancels out.
    private func gradients(_ tiny: TinyTraining, _ slots: [Sampler.Slot], step: Int) -> [[Double]] {
        let engine = tiny.state.model.engine(gradients: nil)
        let weights = tiny.state.weights
        let h: Float = 0x1p-7
        var gradients = [[Double]](repeating: [], count: 3)
        for place in 0..<weights.count {
            let before = weights.elements[place]
            func central(_ h: Float) -> [Double] {
                weights.elements[place] = before + h
                let (right, above) = (weights.elements[place], losses(tiny, slots, engine, step: step))
                weights.elements[place] = before - h
                let (left, below) = (weights.elements[place], losses(tiny, slots, engine, step: step))
                weights.elements[place] = before
                return zip(above, below).map { ($0 - $1) / Double(right - left) }
            }
            let (near, far) = (central(h), central(2 * h))
            for task in 0..<3 { gradients[task].append((4 * near[task] - far[task]) / 3) }
        }
        return gradients
    }

    private func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    private func norm(_ a: [Double]) -> Double { product(a, a).squareRoot() }

    /// Expects the record's cosines, norms and conflicts to be those of the tasks' gradients per token; empty for a task without
    /// one. `errors`: what may be wrong with the length of each.
    private func expect(
        _ record: InterferenceRecord, _ gradients: [[Double]], errors: [Double], _ comment: Comment
    ) {
        var conflicts: [Bool] = []
        for i in 0..<3 {
            let length = norm(gradients[i])
            #expect((record.norms[i] == nil) == (length == 0), comment)
            if let found = record.norms[i] {
                #expect(
                    (found - length).magnitude < Self.tolerance * length + errors[i],
                    "\(comment): norm \(found), not \(length)")
            }
            for j in 0..<3 {
                guard length > 0, norm(gradients[j]) > 0 else {
                    #expect(record.cosines[i][j] == nil, comment)
                    continue
                }
                let expected = product(gradients[i], gradients[j]) / (length * norm(gradients[j]))
                let found = record.cosines[i][j] ?? .nan
                let allowed = Self.tolerance + errors[i] / length + errors[j] / norm(gradients[j])
                #expect((found - expected).magnitude < allowed, "\(comment): cosine \(found), not \(expected)")
                // The sign of a cosine near 0 is open.
                if j > i { conflicts.append(expected.magnitude < allowed ? found < 0 : expected < 0) }
            }
        }
        let rate = Double(conflicts.count { $0 }) / Double(conflicts.count)
        #expect(record.conflictRate == (conflicts.isEmpty ? nil : rate), comment)
    }

    @Test(arguments: [Sampler.Granularity.microBatch, .example])
    func `a step with several tasks measures the slopes of their losses`(granularity: Sampler.Granularity) throws {
        let tiny = TinyTraining(.unolora, feedForward: .gatedGelu)
        let trainer = try trainer(tiny, granularity)
        var slots = try Self.sampler(granularity)
        for step in 0..<3 {
            let vectors = gradients(tiny, slots.next(), step: step)
            let tokens = try trainer.step().tasks.map { Double(max($0.tokens, 1)) }
            let record = try #require(trainer.measured)
            expect(
                record, zip(vectors, tokens).map { vector, count in vector.map { $0 / count } },
                errors: tokens.map { Self.error / $0 }, "step \(step)")
        }
    }

    @Test func `steps of one task each measure averages of the slopes`() throws {
        let tiny = TinyTraining(.unolora, feedForward: .gatedGelu)
        let trainer = try trainer(tiny, .batch)
        var (slots, averages) = (try Self.sampler(.batch), [[Double]](repeating: [], count: 3))
        var fewest = Double.infinity
        for step in 0..<5 {
            let drawn = slots.next()
            let task = drawn[0].task
            let slopes = gradients(tiny, drawn, step: step)[task]
            let tokens = Double(try trainer.step().tasks[task].tokens)
            let gradient = slopes.map { $0 / tokens }
            averages[task] =
                averages[task].isEmpty ? gradient : zip(averages[task], gradient).map { 0.9 * $0 + 0.1 * $1 }
            fewest = min(fewest, tokens)
            expect(
                try #require(trainer.measured), averages,
                errors: Array(repeating: Self.error / fewest, count: 3), "step \(step)")
        }
        #expect(averages.count { !$0.isEmpty } > 1)
    }
}
