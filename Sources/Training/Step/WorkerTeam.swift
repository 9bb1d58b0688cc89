import Adapters
import Dispatch
import Kernels
import Synchronization
import T5
import Tensors

/// What a micro-batch must not depend on the worker for: the settings of the step.
struct StepSettings: Sendable {
    var dropout: DropoutKey
    var labelSmoothing: Float
    var padTargets: Int?
    /// Largest magnitude of a gradient, and of a task's summed loss, that the exact sum admits of one micro-batch.
    var limit: Float
}

/// The workers of one rank: each computes whole micro-batches on one core, with an engine, a workspace and sums of its
/// own.
final class WorkerTeam: @unchecked Sendable {
    /// One thread's part.
    final class Worker {
        let engine: T5Engine
        let gradients: Arena
        var sums: [Int64]
        var good = true
        /// The first micro-batch with a value that is not finite or too large.
        var badMicroBatch: Int?

        init(model: T5Model, state: TrainState, sums: Int) {
            gradients = Arena(count: state.weights.count)
            let adaptation = LowRankAdaptation(layout: state.layout, weights: state.weights, gradients: gradients)
            engine = T5Engine(model: model, adaptation: adaptation)
            self.sums = [Int64](repeating: 0, count: sums)
        }
    }

    let workers: [Worker]
    private let layout: StepSums
    private let model: T5Model

    init(threads: Int, model: T5Model, state: TrainState, sums: StepSums) {
        self.model = model
        layout = sums
        workers = (0..<threads).map { _ in Worker(model: model, state: state, sums: sums.count) }
    }

    /// Computes micro-batches; their sums stand in the workers afterwards.
    func run(_ plan: MicroBatchPlan, _ indices: [Int], examples: any TrainingExamples, settings: StepSettings) {
        let next = Atomic<Int>(0)
        let plans = [plan]
        inParallel { worker in
            worker.sums.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
            worker.good = true
            worker.badMicroBatch = nil
            while true {
                let position = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard position < indices.count else { return }
                self.compute(plans[0], indices[position], worker, examples, settings)
            }
        }
    }

    /// Runs `body` once for each worker, each on a thread.
    func inParallel(_ body: @Sendable (Worker) -> Void) {
        if workers.count == 1 {
            body(workers[0])
        } else {
            DispatchQueue.concurrentPerform(iterations: workers.count) { body(self.workers[$0]) }
        }
    }

    /// Adds a micro-batch's gradients to sums, as whole numbers; returns whether all were in range.
    func pack(_ gradients: Arena, into sums: UnsafeMutablePointer<Int64>, limit: Float) -> Bool {
        FixedPoint.add(gradients.base, to: sums, count: layout.parameters, limit: limit)
    }

    private func compute(
        _ plan: MicroBatchPlan, _ index: Int, _ worker: Worker, _ examples: any TrainingExamples,
        _ settings: StepSettings
    ) {
        let batch = plan.assemble(
            index, examples: examples, padTargets: settings.padTargets, padToken: model.configuration.padToken)
        worker.gradients.clear()
        let loss = worker.engine.forward(
            batch, dropout: settings.dropout, labelSmoothing: settings.labelSmoothing)
        worker.engine.backward()
        let good = worker.sums.withUnsafeMutableBufferPointer { sums in
            guard let base = sums.baseAddress else { return false }
            var good = pack(worker.gradients, into: base, limit: settings.limit)
            // What a micro-batch adds to the loss of one task is what the limit is for, as with one gradient.
            var magnitudes = [Double](repeating: 0, count: layout.tasks)
            for example in 0..<batch.count {
                let task = batch.tasks[example]
                let value = loss.perExample[example]
                magnitudes[task] += value.magnitude
                // A NaN fails the comparison too.
                if magnitudes[task] <= Double(settings.limit) {
                    base[layout.losses + task] += FixedPoint.quanta(value)
                } else {
                    good = false
                }
                base[layout.tokens + task] += Int64(batch.targetLengths[example])
                base[layout.examples + task] += 1
                base[layout.sourceTokens + task] += Int64(batch.sourceLengths[example])
            }
            return good
        }
        if !good {
            worker.good = false
            worker.badMicroBatch = worker.badMicroBatch ?? index
        }
    }
}
