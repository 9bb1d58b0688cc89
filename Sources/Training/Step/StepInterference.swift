import Backbone
import Failures
import Kernels
import MPI
import Runs
import Tasks
import Tensors

/// The tasks' own gradients in the steps of a run: how they go together (`InterferenceMeter`), and the projection of those that
/// conflict (`ConflictProjection`).
final class StepInterference {
    private let options: TrainOptions
    private let granularity: Sampler.Granularity
    private let meter: InterferenceMeter?
    private let products: GradientProducts
    /// Where tasks share a step; else nil.
    private let taskSums: TaskSums?
    private var projection: ConflictProjection
    // For steps whose own micro-batches have examples of several tasks.
    private var plan: MicroBatchPlan
    private var mine: [Int] = []
    // Kept from step to step for their memory.
    private var weights: [Double] = []
    private var tokens: [Int64] = []
    /// Whether the sums of the present step have been summed over the ranks, and hold only admitted numbers.
    private var areSummed = false

    /// Nil if the options ask for nothing, or if there is only one task.
    init?(
        _ options: TrainOptions, _ state: TrainState, _ sums: RankSums, tasks: [String], _ sampler: Sampler,
        threads: WorkerThreads, count: Int
    ) {
        guard tasks.count > 1, options.projectsConflicts || options.interferenceEvery != nil else { return nil }
        self.options = options
        granularity = sampler.granularity
        projection = ConflictProjection(seed: options.seed)
        plan = MicroBatchPlan(micro: options.microBatch, grouping: .byTask)
        let sharesSteps = granularity != .batch
        taskSums = sharesSteps ? TaskSums(tasks: tasks.count, trained: state.trained) : nil
        // With the averages of all tasks, the gradient of a step.
        let products = GradientProducts(
            parameters: state.trained.count, most: tasks.count + (sharesSteps ? 0 : 1), threads: threads, count: count)
        self.products = products
        meter = options.interferenceEvery.map {
            InterferenceMeter(
                every: $0, tasks: tasks, shares: sampler.shares, sums: sums,
                averages: sharesSteps ? nil : state.averages, products: products, threads: threads, count: count)
        }
    }

    /// Whether the micro-batches of a step have examples of one task each.
    private var microBatchesAreOfOneTask: Bool { options.projectsConflicts || granularity == .microBatch }

    /// What a step, counted from 1, adds its gradients to task by task; nil if nobody asks for them.
    func sumsOfStep(_ step: Int) -> TaskSums? {
        guard let taskSums, microBatchesAreOfOneTask else { return nil }
        return options.projectsConflicts || meter?.isDue(step) == true ? taskSums : nil
    }

    /// Where a step's micro-batches mix tasks and the step is measured: computes the gradients of its examples task by task,
    /// before the step itself, which they do not change.
    func measureApart(
        _ slots: [Sampler.Slot], _ examples: any TrainingExamples, _ settings: StepSettings, _ team: WorkerTeam,
        _ communicator: Communicator
    ) throws(Failure) {
        areSummed = false
        guard let taskSums, !microBatchesAreOfOneTask, meter?.isDue(Int(settings.dropout.step) + 1) == true else {
            return
        }
        plan.cut(slots, examples: examples)
        plan.share(rank: communicator.rank, size: communicator.size, into: &mine)
        var settings = settings
        settings.limit = FixedPoint.limit(parts: plan.count)
        team.measure(plan, mine, examples: examples, settings: settings, into: taskSums)
        areSummed = try taskSums.reduce(communicator)
    }

    /// Projects the gradients of a step, counted from 0, that conflict; collective. Returns what the update is combined of; nil if
    /// it is the plain sum.
    func combine(_ step: Int, _ communicator: Communicator) throws(Failure) -> TaskSums? {
        guard options.projectsConflicts, let taskSums else { return nil }
        areSummed = try taskSums.reduce(communicator)
        let gram = unsafe products(taskSums.tasks) { task, range, target in
            unsafe taskSums.unpack(task, range, into: target, divisor: 1)
        }
        projection(gram, step: step, into: &weights)
        // Numbers that the sum does not admit would have ended the step already.
        precondition(areSummed, "sums of tasks that the step's own sum admitted")
        // Without a conflict the plain sum is the same.
        guard weights.contains(where: { $0 != 1 }) else { return nil }
        taskSums.setWeights(weights)
        return taskSums
    }

    /// What a step, counted from 1, showed, if it is measured; collective. `sums`: what the step added up for each task.
    func measure(
        _ step: Int, _ slots: [Sampler.Slot], _ sums: [StepResult.TaskSums], _ communicator: Communicator
    ) throws(Failure) -> InterferenceRecord? {
        guard let meter else { return nil }
        if meter.keepsAverages, let task = slots.first?.task {
            return meter.add(step: step, task: task, divisor: Double(max(sums[task].tokens, 1)))
        }
        guard meter.isDue(step), let taskSums else { return nil }
        if microBatchesAreOfOneTask, !options.projectsConflicts { areSummed = try taskSums.reduce(communicator) }
        guard areSummed else { return nil }
        tokens.removeAll(keepingCapacity: true)
        tokens.append(contentsOf: sums.lazy.map(\.tokens))
        return meter.measure(taskSums, step: step, tokens: tokens)
    }
}
