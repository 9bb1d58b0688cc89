import Foundation
import Optimizers
import Tensors
import TestSupport
import Testing

/// Numbers computed by torch and transformers; the generator is beside them.
@Suite struct OptimizerGoldenTests {
    private static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("T5Tests/Goldens")

    private struct Schedule: Decodable {
        let kind: String
        let peak: Double
        let warmup: Int
        let steps: Int
        let lr: [Double]
    }

    private struct Run: Decodable {
        struct Step: Decodable {
            let gradient: [[Double]]
            let norm: Double
            let clipped: [[Double]]
            let weights: [[Double]]
            let m: [[Double]]
            let v: [[Double]]
        }
        let clip: Double
        let lr: Double
        let betas: [Double]
        let eps: Double
        let weightDecay: Double
        let initial: [[Double]]
        let steps: [Step]
    }

    private func read<T: Decodable>(_ name: String, _ type: T.Type) throws -> T {
        try JSONDecoder().decode(type, from: Data(contentsOf: Self.directory.appendingPathComponent(name)))
    }

    /// The goldens continue after the last step, where cosine rises again although a run has ended; those are left out.
    @Test func `schedules are those of transformers`() throws {
        let table = try read("schedules.json", [String: Schedule].self)
        #expect(table.count == 9)
        for (name, row) in table {
            let schedule = LearningRateSchedule(
                peak: row.peak, warmup: row.warmup, steps: row.steps,
                decay: try #require(LearningRateSchedule.Decay(rawValue: row.kind)))
            for (k, rate) in row.lr.prefix(row.steps + 1).enumerated() {
                #expect(abs(schedule.rate(k) - rate) <= 1e-12 * row.peak, "\(name) update \(k)")
            }
        }
    }

    /// The goldens are in double precision; five updates in single precision differ by only a few rounding errors.
    @Test func `clipping and AdamW are those of torch`() throws {
        let run = try read("clipped_adamw.json", Run.self)
        func arena(_ tensors: [[Double]]) -> Arena {
            let values = tensors.flatMap { $0 }
            let arena = Arena(count: values.count)
            for (i, value) in values.enumerated() { arena.base[i] = Float(value) }
            return arena
        }
        func expectClose(_ arena: Arena, _ tensors: [[Double]], _ what: String) {
            let expected = tensors.flatMap { $0 }
            let scale = largestMagnitude(expected)
            for (i, value) in expected.enumerated() {
                #expect(abs(Double(arena.base[i]) - value) <= 1e-6 * scale, "\(what) \(i)")
            }
        }
        let optimiser = AdamW(
            beta1: run.betas[0], beta2: run.betas[1], epsilon: run.eps, weightDecay: run.weightDecay)
        let weights = arena(run.initial)
        let (mean, square) = (Arena(count: weights.count), Arena(count: weights.count))
        #expect(run.steps.count == 5)
        for (index, step) in run.steps.enumerated() {
            let gradient = arena(step.gradient)
            let norm = GradientClipping.clip(gradient, limit: run.clip)
            #expect(abs(norm - step.norm) <= 1e-6 * step.norm)
            expectClose(gradient, step.clipped, "clipped gradient of step \(index)")
            optimiser.update(
                weights, gradients: gradient, mean: mean, square: square, learningRate: run.lr, count: index + 1)
            expectClose(weights, step.weights, "weights of step \(index)")
            expectClose(mean, step.m, "m of step \(index)")
            expectClose(square, step.v, "v of step \(index)")
        }
    }
}
