import Adapters
import Heartbeat
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
package final class WorkerTeam: @unchecked Sendable {
    /// One thread's part.
    final class Worker {
        let engine: T5Engine
        let gradients: Arena
        let sums: UnsafeMutableBufferPointer<Int64>
        // Kept from one micro-batch to the next for their memory.
        fileprivate var batch = RaggedBatch()
        fileprivate var magnitudes: [Double] = []
        var good = true
        /// The first micro-batch with a value that is not finite or too large.
        var badMicroBatch: Int?

        init(model: T5Model, state: TrainState, sums: Int, workspace: Workspace) {
            gradients = Arena(count: state.weights.count, for: .trainables)
            let adaptation = LowRankAdaptation(layout: state.layout, weights: state.weights, gradients: gradients)
            engine = T5Engine(model: model, adaptation: adaptation, workspace: workspace)
            self.sums = Memory.zeros(Int64.self, count: sums, for: .trainables)
        }

        deinit { if let base = sums.baseAddress { Memory.free(base) } }
    }

    let workers: [Worker]
    private let layout: StepSums
    private let model: T5Model
    private let threads: WorkerThreads
    /// What `run` was asked for.
    private struct Order {
        let plan: MicroBatchPlan
        let indices: [Int]
        let examples: any TrainingExamples
        let settings: StepSettings
    }
    private var order: Order?
    private let next = Atomic<Int>(0)

    /// `workspaceBytes`: the most that a worker's workspace can need, where it is known.
    init(threads: Int, model: T5Model, state: TrainState, sums: StepSums, workspaceBytes: Int? = nil) {
        self.model = model
        layout = sums
        self.threads = WorkerThreads(count: threads)
        workers = (0..<threads).map { _ in
            let workspace = workspaceBytes.map { Workspace(reserving: $0) } ?? Workspace()
            return Worker(model: model, state: state, sums: sums.count, workspace: workspace)
        }
    }

    /// Computes micro-batches; their sums stand in the workers afterwards.
    func run(_ plan: MicroBatchPlan, _ indices: [Int], examples: any TrainingExamples, settings: StepSettings) {
        order = Order(plan: plan, indices: indices, examples: examples, settings: settings)
        next.store(0, ordering: .relaxed)
        threads.run(work)
        // The next plan is to find the memory of this one unshared.
        order = nil
    }

    /// Runs `body` once for each worker, each on a thread.
    func inParallel(_ body: @Sendable (Worker) -> Void) {
        withoutActuallyEscaping(body) { body in
            threads.run { body(self.workers[$0]) }
        }
    }

    /// One worker's part of an order: made once, so that a step makes no closure. The team outlives its threads' work.
    private lazy var work: @Sendable (Int) -> Void = { [unowned self] number in
        guard let order else { return }
        let worker = workers[number]
        worker.sums.update(repeating: 0)
        worker.good = true
        worker.badMicroBatch = nil
        while true {
            let position = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard position < order.indices.count else { return }
            compute(order.plan, order.indices[position], worker, order.examples, order.settings)
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
        plan.assemble(
            index, into: &worker.batch, examples: examples, padTargets: settings.padTargets,
            padToken: model.configuration.padToken)
        worker.gradients.clear()
        let loss = worker.engine.forward(
            worker.batch, dropout: settings.dropout, labelSmoothing: settings.labelSmoothing)
        worker.engine.backward()
        worker.engine.endPass()
        Heartbeat.beat()
        let good = add(loss, worker, settings)
        if !good {
            worker.good = false
            worker.badMicroBatch = worker.badMicroBatch ?? index
        }
    }

    /// Adds a micro-batch to the sums of its worker; whether all of it is finite and within the limit.
    private func add(_ loss: MicroBatchLoss, _ worker: Worker, _ settings: StepSettings) -> Bool {
        let batch = worker.batch
        worker.magnitudes.removeAll(keepingCapacity: true)
        worker.magnitudes.append(contentsOf: repeatElement(0, count: layout.tasks))
        guard let base = worker.sums.baseAddress else { return false }
        var good = pack(worker.gradients, into: base, limit: settings.limit)
        // What a micro-batch adds to the loss of one task is what the limit is for, as with one gradient.
        for example in 0..<batch.count {
            let task = batch.tasks[example]
            let value = loss.perExample[example]
            worker.magnitudes[task] += value.magnitude
            // A NaN fails the comparison too.
            if worker.magnitudes[task] <= Double(settings.limit) {
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
}
