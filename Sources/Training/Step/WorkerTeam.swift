import Backbone
import Heartbeat
import Kernels
import Synchronization
import Tensors

/// What a micro-batch must not depend on the worker for: the settings of the step.
struct StepSettings: Sendable {
    var dropout: DropoutKey
    var labelSmoothing: Float
    var padTargets: Int?
    /// Largest magnitude of a gradient, and of a task's summed loss, that the exact sum admits of one micro-batch.
    var limit: Float
}

/// The workers of one rank: each computes whole micro-batches on one core, with an engine and a workspace of its own, and adds
/// them to the sums of the rank.
package final class WorkerTeam: ThreadWork, @unchecked Sendable {
    /// One thread's part.
    final class Worker {
        let engine: any BackboneEngine
        let gradients: Arena
        // Kept from one micro-batch to the next for their memory.
        fileprivate var batch = RaggedBatch()
        fileprivate var magnitudes: [Double] = []
        // The first bucket to which the present micro-batch is not added yet, and whether those before it were in range.
        fileprivate var nextBucket = 0
        fileprivate var isPacked = true
        var good = true
        /// The first micro-batch with a value that is not finite or too large.
        var badMicroBatch: Int?

        init(_ model: AdaptedModel, workspace: Workspace) {
            gradients = Arena(count: model.weights.count, for: .trainables)
            engine = model.engine(gradients: gradients, workspace: workspace)
        }
    }

    let workers: [Worker]
    /// What all workers add to.
    let sums: RankSums
    private let padToken: Int32
    /// The workers' engines and threads, which evaluate too.
    package let team: EngineTeam
    /// Micro-batches to compute.
    private struct Order {
        let plan: MicroBatchPlan
        let indices: [Int]
        let examples: any TrainingExamples
        let settings: StepSettings
        /// Whether the gradients are added to the sums of the rank; else to those of the tasks alone.
        let isTraining: Bool
    }
    private var order: Order?
    /// What gradients are added to task by task; nil for nothing.
    private var taskSums: TaskSums?
    private let next = Atomic<Int>(0)

    /// `workspaceBytes`: the most that a worker's workspace can need, where it is known.
    init(threads: Int, _ model: AdaptedModel, sums: RankSums, workspaceBytes: Int? = nil) {
        padToken = model.backbone.shape.padToken
        self.sums = sums
        workers = (0..<threads).map { _ in
            let workspace = workspaceBytes.map { Workspace(reserving: $0) } ?? Workspace()
            return Worker(model, workspace: workspace)
        }
        team = EngineTeam(workers.map(\.engine))
    }

    /// Computes micro-batches; their sums stand in `sums` afterwards, and those of each task in `taskSums`, if it is given: then
    /// a micro-batch has examples of one task only.
    func run(
        _ plan: MicroBatchPlan, _ indices: [Int], examples: any TrainingExamples, settings: StepSettings,
        byTask taskSums: TaskSums? = nil
    ) {
        compute(
            Order(plan: plan, indices: indices, examples: examples, settings: settings, isTraining: true), taskSums)
    }

    /// Computes micro-batches, each of one task, whose gradients are added to `taskSums` alone.
    func measure(
        _ plan: MicroBatchPlan, _ indices: [Int], examples: any TrainingExamples, settings: StepSettings,
        into taskSums: TaskSums
    ) {
        compute(
            Order(plan: plan, indices: indices, examples: examples, settings: settings, isTraining: false), taskSums)
    }

    private func compute(_ order: Order, _ taskSums: TaskSums?) {
        self.taskSums = taskSums
        // Without an order, the threads clear the sums.
        team.threads.run(self)
        if order.isTraining { sums.begin(microBatches: order.indices.count) }
        self.order = order
        next.store(0, ordering: .relaxed)
        team.threads.run(self)
        // The next plan is to find the memory of this one unshared.
        self.order = nil
        self.taskSums = nil
    }

    /// Whether no worker met a number that is not finite or too large.
    var isGood: Bool { workers.allSatisfy(\.good) }

    /// One worker's part of an order; where there is none, of clearing the sums.
    func perform(_ number: Int) {
        guard let order else {
            taskSums?.clear(part: number, of: workers.count)
            return sums.clear(part: number, of: workers.count)
        }
        let worker = workers[number]
        worker.good = true
        worker.badMicroBatch = nil
        while true {
            let position = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard position < order.indices.count else { return }
            compute(order, order.indices[position], number)
        }
    }

    /// Adds the gradients of a worker's last micro-batch to the sums; returns whether all were in range.
    func pack(_ number: Int, limit: Float) -> Bool {
        sums.add(workers[number].gradients, limit: limit, part: number, of: workers.count)
    }

    /// Runs the worker's backward and adds its gradients to the sums as they are completed; returns whether all were in range.
    private func backward(_ number: Int, _ order: Order) -> Bool {
        let (worker, limit) = (workers[number], order.settings.limit)
        (worker.nextBucket, worker.isPacked) = (0, true)
        if order.isTraining {
            worker.engine.backward { addBuckets(through: sums.buckets.stage(of: $0), number, limit) }
            addBuckets(through: .max, number, limit)
        } else {
            worker.engine.backward { _ in }
        }
        if let taskSums, worker.batch.count > 0 {
            taskSums.add(
                worker.gradients, task: worker.batch.tasks[0], limit: limit, part: number, of: workers.count)
        }
        return worker.isPacked
    }

    /// Adds the worker's gradients of the next buckets, up to those that are complete at a stage.
    private func addBuckets(through stage: Int, _ number: Int, _ limit: Float) {
        let worker = workers[number]
        let buckets = sums.buckets.all
        while worker.nextBucket < buckets.count, buckets[worker.nextBucket].stage <= stage {
            let isInRange = sums.add(
                worker.gradients, bucket: worker.nextBucket, limit: limit, part: number, of: workers.count)
            worker.isPacked = worker.isPacked && isInRange
            worker.nextBucket += 1
        }
    }

    private func compute(_ order: Order, _ index: Int, _ number: Int) {
        let (worker, settings) = (workers[number], order.settings)
        order.plan.assemble(
            index, into: &worker.batch, examples: order.examples, padTargets: settings.padTargets,
            padToken: padToken)
        worker.gradients.clear()
        let loss = worker.engine.forward(
            worker.batch, dropout: settings.dropout, labelSmoothing: settings.labelSmoothing)
        let isPacked = backward(number, order)
        worker.engine.endPass()
        Heartbeat.beat()
        guard order.isTraining else { return }
        let isCounted = count(loss, number, settings)
        if !isPacked || !isCounted {
            worker.good = false
            worker.badMicroBatch = worker.badMicroBatch ?? index
        }
    }

    /// Adds a micro-batch's losses and counts to the sums; returns whether all losses are finite and within the limit.
    private func count(_ loss: MicroBatchLoss, _ number: Int, _ settings: StepSettings) -> Bool {
        let worker = workers[number]
        let (batch, layout) = (worker.batch, sums.layout)
        worker.magnitudes.removeAll(keepingCapacity: true)
        worker.magnitudes.append(contentsOf: repeatElement(0, count: layout.tasks))
        return unsafe sums.withTail { words in
            var good = true
            // What a micro-batch adds to the loss of one task is what the limit is for, as with one gradient.
            for example in 0..<batch.count {
                let task = batch.tasks[example]
                let value = loss.perExample[example]
                worker.magnitudes[task] += value.magnitude
                // A NaN fails the comparison too.
                if worker.magnitudes[task] <= Double(settings.limit) {
                    unsafe words[layout.losses + task] += FixedPoint.quanta(value)
                } else {
                    good = false
                }
                unsafe words[layout.tokens + task] += Int64(batch.targetLengths[example])
                unsafe words[layout.examples + task] += 1
                unsafe words[layout.sourceTokens + task] += Int64(batch.sourceLengths[example])
            }
            return good
        }
    }
}
