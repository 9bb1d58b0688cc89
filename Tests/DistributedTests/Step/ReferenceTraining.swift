import Adapters
import Backbone
import Foundation
import Optimizers
import Tasks
import Tensors

@testable import Training

/// A second implementation of training: gradients example by example, and sums, clipping, AdamW and the schedule in `Double`
/// from their formulas. From the program's step it uses only the engine, on one example at a time.
struct ReferenceTraining {
    /// The figures that a step reports.
    struct Figures {
        var norm: Double
        var rate: Double
        var losses: [Double]
        var tokens: [Int64]
    }

    private let tiny: TinyTraining
    private let options: TrainOptions
    private(set) var weights: [Double]
    private(set) var mean: [Double]
    private(set) var square: [Double]
    private var step = 0

    init(_ tiny: TinyTraining, _ options: TrainOptions) {
        self.tiny = tiny
        self.options = options
        weights = tiny.state.weights.elements.map(Double.init)
        mean = weights.map { _ in 0 }
        square = mean
    }

    /// Trains one step on these slots.
    mutating func train(_ slots: [Sampler.Slot]) -> Figures {
        var (gradient, figures) = sum(slots)
        let labels = figures.tokens.reduce(0, +)
        if !options.sumsLoss { gradient = gradient.map { $0 / Double(labels) } }
        figures.norm = sqrt(gradient.reduce(0) { $0 + $1 * $1 })
        if let clip = options.clip, figures.norm > clip {
            gradient = gradient.map { $0 * clip / (figures.norm + 1e-6) }
        }
        figures.rate = rate
        step += 1
        let adam = options.optimizer
        for i in gradient.indices {
            mean[i] = adam.beta1 * mean[i] + (1 - adam.beta1) * gradient[i]
            square[i] = adam.beta2 * square[i] + (1 - adam.beta2) * gradient[i] * gradient[i]
            let m = mean[i] / (1 - pow(adam.beta1, Double(step)))
            let v = square[i] / (1 - pow(adam.beta2, Double(step)))
            weights[i] -= figures.rate * adam.weightDecay * weights[i]
            weights[i] -= figures.rate * m / (sqrt(v) + adam.epsilon)
        }
        return figures
    }

    /// The learning rate of the step, counted from 0.
    private var rate: Double {
        let (schedule, k) = (options.schedule, Double(step))
        let (warmup, steps) = (Double(schedule.warmup), Double(schedule.steps))
        if k < warmup { return schedule.peak * k / warmup }
        let progress = (k - warmup) / (steps - warmup)
        switch schedule.decay {
        case .constant: return schedule.peak
        case .linear: return schedule.peak * (1 - progress)
        case .cosine: return schedule.peak * (1 + cos(Double.pi * progress)) / 2
        }
    }

    /// Gradient of the summed loss, and each task's loss and label tokens.
    private func sum(_ slots: [Sampler.Slot]) -> ([Double], Figures) {
        let (own, part) = (Arena(count: weights.count), Arena(count: weights.count))
        for (i, weight) in weights.enumerated() { own.base[i] = Float(weight) }
        let method = tiny.state.model.method
        let engine = method.applied(to: tiny.model, weights: own.readOnly)
            .engine(method.adaptation(weights: own.readOnly, gradients: part), workspace: Workspace())
        let key = DropoutKey(seed: options.seed, step: UInt32(step), rate: options.dropout)
        var gradient = weights.map { _ in 0.0 }
        var figures = Figures(
            norm: 0, rate: 0, losses: Array(repeating: 0, count: TinyTraining.tasks),
            tokens: Array(repeating: 0, count: TinyTraining.tasks))
        for slot in slots {
            var target = Array(tiny.examples.target(task: slot.task, example: slot.example))
            while target.count < options.padTargets ?? 0 { target.append(tiny.model.shape.padToken) }
            var batch = RaggedBatch()
            batch.append(
                source: tiny.examples.source(task: slot.task, example: slot.example), target: target, task: slot.task,
                slot: UInt32(slot.index))
            part.clear()
            figures.losses[slot.task] +=
                engine.forward(batch, dropout: key, labelSmoothing: Float(options.labelSmoothing)).sum
            figures.tokens[slot.task] += Int64(target.count)
            engine.backward()
            for i in gradient.indices { gradient[i] += Double(part.base[i]) }
        }
        return (gradient, figures)
    }
}
