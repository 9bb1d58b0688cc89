import Backbone
public import Failures
import Kernels
public import MPI
public import Optimizers
public import Runs
public import Tasks
import Tensors

/// What the training loop needs to know: the part of the run's configuration that decides the bits of a step.
public struct TrainOptions: Sendable, Equatable {
    /// Seed of the run: sampling, dropout, adapter start.
    public var seed: UInt64
    /// Examples in a micro-batch.
    public var microBatch: Int
    /// Dropout rate at the backbone's places.
    public var dropout: Double
    /// Label smoothing.
    public var labelSmoothing: Double
    /// Whether the loss is a sum instead of a mean over label tokens.
    public var sumsLoss: Bool
    /// Targets are filled up to so many tokens, which count in the loss.
    public var padTargets: Int?
    /// Largest global norm of the gradient; nil for no clipping.
    public var clip: Double?
    /// The optimiser.
    public var optimizer: AdamW
    /// Learning rates.
    public var schedule: LearningRateSchedule
    /// Whether a step that is not finite is left out instead of ending the run.
    public var skipsNonFinite: Bool
    /// How gradients are summed.
    public var gradientSum: GradientSum
    /// Whether gradients of tasks that conflict are projected onto each other's normal planes (`ConflictProjection`).
    public var projectsConflicts: Bool
    /// Steps between measurements of how the tasks' gradients go together; nil for none.
    public var interferenceEvery: Int?
    /// Identifies configuration and layout in every reduction.
    public var check: UInt64

    /// Creates options.
    public init(
        seed: UInt64, microBatch: Int, dropout: Double, labelSmoothing: Double = 0,
        sumsLoss: Bool = false, padTargets: Int? = nil, clip: Double? = 1, optimizer: AdamW = AdamW(),
        schedule: LearningRateSchedule, skipsNonFinite: Bool = false,
        gradientSum: GradientSum = .exact, projectsConflicts: Bool = false, interferenceEvery: Int? = nil,
        check: UInt64 = 0
    ) {
        self.seed = seed
        self.microBatch = microBatch
        self.dropout = dropout
        self.labelSmoothing = labelSmoothing
        self.sumsLoss = sumsLoss
        self.padTargets = padTargets
        self.clip = clip
        self.optimizer = optimizer
        self.schedule = schedule
        self.skipsNonFinite = skipsNonFinite
        self.gradientSum = gradientSum
        self.projectsConflicts = projectsConflicts
        self.interferenceEvery = interferenceEvery
        self.check = check
    }
}

/// Does training steps: sample, compute this rank's micro-batches, reduce, update.
///
/// All ranks call `step` alike and hold the same state afterwards. The state's bits depend on the options and the data
/// alone, not on the number of ranks or threads.
public final class Trainer {
    /// Weights, moments and step.
    public let state: TrainState
    package let team: WorkerTeam
    private let options: TrainOptions
    private let examples: any TrainingExamples
    let communicator: Communicator
    let exchange: GradientExchange
    let update: StepUpdate
    private let interference: StepInterference?
    private let taskCount: Int
    private let taskNames: [String]
    private var sampler: Sampler
    // Kept from step to step for their memory.
    private var slots: [Sampler.Slot] = []
    private var plan: MicroBatchPlan
    private var mine: [Int] = []
    private var taskSums: [StepResult.TaskSums] = []
    /// Why the last step was left out, on the rank that knows it.
    private(set) var notFinite: String?
    /// How the tasks' gradients go together, if the last step measured it.
    private(set) var measured: InterferenceRecord?

    /// Creates the trainer of this rank with `threads` workers.
    ///
    /// - Parameters:
    ///   - workspaceBytes: the most that the workspace of a worker can need; nil where that is not known.
    ///   - bucket: elements of what is summed over the ranks at once, at least where it can be (`GradientBuckets`).
    ///   - overlaps: whether MPI allows several threads: gradients of many trainables are then summed over the ranks while the
    ///     next ones are computed.
    public init(
        state: TrainState, examples: any TrainingExamples, sampler: Sampler, taskNames: [String],
        options: TrainOptions, threads: Int, communicator: Communicator, workspaceBytes: Int? = nil,
        bucket: Int? = nil, overlaps: Bool = false
    ) {
        self.state = state
        self.options = options
        self.examples = examples
        self.sampler = sampler
        self.communicator = communicator
        self.taskNames = taskNames
        taskCount = taskNames.count
        let model = state.model
        let sums = RankSums(
            StepSums(parameters: state.trained.count, tasks: taskNames.count, gradients: options.gradientSum),
            GradientBuckets(model.method, on: model.backbone.shape, least: bucket ?? GradientBuckets.usualLeast))
        team = WorkerTeam(
            threads: threads, model, sums: sums, workspaceBytes: workspaceBytes)
        exchange = GradientExchange(
            communicator: communicator, sums: sums, check: options.check, overlaps: overlaps)
        update = StepUpdate(sums, state, team.team.threads, count: threads)
        interference = StepInterference(
            options, state, sums, tasks: taskNames, sampler, threads: team.team.threads, count: threads)
        plan = MicroBatchPlan(
            micro: options.microBatch,
            grouping: .init(sampler.granularity, projectsConflicts: options.projectsConflicts))
        self.sampler.seek(to: state.step)
    }

    /// Does the next step; collective. `stop` asks all ranks to leave after this step; it is evaluated just before
    /// the last reduction, so that a request that came meanwhile counts.
    ///
    /// Where a rank met a number that is not finite, or too large for the exact sum, all of them leave the step out, or
    /// that rank throws `notFinite` and the others wait for the job to end, as `TrainOptions.skipsNonFinite` says.
    public func step(stop: @autoclosure () -> StopReason? = nil) throws(Failure) -> StepResult {
        let step = state.step
        sampler.next(into: &slots)
        plan.cut(slots, examples: examples)
        let settings = StepSettings(
            dropout: DropoutKey(seed: options.seed, step: UInt32(step), rate: options.dropout),
            labelSmoothing: Float(options.labelSmoothing), padTargets: options.padTargets,
            limit: FixedPoint.limit(parts: plan.count))
        try interference?.measureApart(slots, examples, settings, team, communicator)
        plan.share(rank: communicator.rank, size: communicator.size, into: &mine)
        exchange.begin()
        team.run(plan, mine, examples: examples, settings: settings, byTask: interference?.sumsOfStep(step + 1))
        try reduce(step: step, stop: stop())
        let rate = options.schedule.rate(step)
        notFinite = nil
        measured = nil
        if exchange.isBad { return try skip(rate) }
        state.skippedInARow = 0
        taskSums.removeAll(keepingCapacity: true)
        for task in 0..<taskCount { taskSums.append(exchange.sums(task: task)) }
        let tokens = taskSums.reduce(0) { $0 + $1.tokens }
        let combined = try interference?.combine(step, communicator)
        measured = try interference?.measure(step + 1, slots, taskSums, communicator)
        let norm = update(
            divisor: options.sumsLoss ? 1 : Double(max(tokens, 1)), clip: options.clip, optimizer: options.optimizer,
            learningRate: rate, count: step + 1, combined: combined)
        state.step += 1
        return StepResult(
            tasks: taskSums, gradientNorm: norm, learningRate: rate, stop: exchange.stop)
    }

    /// Makes `step`, counted from 0, the next one, for measurements.
    package func seek(to step: Int) {
        state.step = step
        sampler.seek(to: step)
    }

    /// Whether every worker has computed a micro-batch, and so has the memory for one. Which worker takes one is luck.
    public var hasUsedAllWorkers: Bool { team.workers.allSatisfy { $0.engine.workspace.highWater > 0 } }

    /// Source and target rows of this rank's micro-batches of some slots, in the order in which they are computed.
    public func microBatchRows(_ slots: [Sampler.Slot]) -> [(source: Int, target: Int)] {
        var plan = plan
        var mine: [Int] = []
        plan.cut(slots, examples: examples)
        plan.share(rank: communicator.rank, size: communicator.size, into: &mine)
        return mine.map { index in
            plan.slots(of: index).reduce((source: 0, target: 0)) { rows, slot in
                unsafe (
                    rows.source + examples.source(task: slot.task, example: slot.example).count,
                    rows.target + examples.target(task: slot.task, example: slot.example).count
                )
            }
        }
    }

    private func reduce(step: Int, stop: @autoclosure () -> StopReason?) throws(Failure) {
        var cursor: UInt64 = 0
        for slot in slots {
            cursor = GradientExchange.mix(GradientExchange.mix(cursor, UInt64(slot.task)), UInt64(slot.example))
        }
        do throws(Failure) {
            try exchange.reduce(isGood: team.isGood, step: step, cursor: cursor, weights: update.mark, stop: stop())
        } catch {
            // All know; the rank that is named says it and ends the job.
            if let odd = exchange.odd, odd != communicator.rank { try communicator.barrier() }
            throw error
        }
    }

    /// Leaves a step out that is not finite, or ends the run for it.
    private func skip(_ rate: Double) throws(Failure) -> StepResult {
        state.skippedInARow += 1
        let isTooMuch = state.skippedInARow >= Self.mostSkipped
        let failure = notFinite(isTooMuch: isTooMuch)
        guard options.skipsNonFinite, !isTooMuch else {
            if let failure { throw failure }
            // The rank that met it ends the job.
            try communicator.barrier()
            throw Failure(.notFinite, "step \(state.step + 1) is not finite on another rank")
        }
        notFinite = failure?.message
        state.step += 1
        return StepResult(
            tasks: Array(repeating: StepResult.TaskSums(), count: taskCount), gradientNorm: 0, learningRate: rate,
            stop: exchange.stop, isSkipped: true)
    }

    /// Steps that may be left out one after the other: a run in which no step is finite any more does not get better.
    private static let mostSkipped = 25

    /// What this rank met in the present step, where it was this rank.
    private func notFinite(isTooMuch: Bool) -> Failure? {
        guard let bad = team.workers.compactMap(\.badMicroBatch).min() else { return nil }
        let slots = plan.slots(of: bad).map { "\(taskNames[$0.task]) example \($0.example)" }
        // Before the first update no learning rate has had an effect.
        let remedy =
            state.step == 0
            ? "nothing was trained yet, so look at these examples, the model and the method's settings"
            : "lower lr.peak or look at these examples; the step before is saved, older checkpoints are untouched"
        let row = options.skipsNonFinite && isTooMuch ? ", as in the \(Self.mostSkipped - 1) steps before" : ""
        return Failure(
            .notFinite,
            "step \(state.step + 1): the loss or a gradient is not finite, or beyond the range of the sum, in a "
                + "micro-batch of \(slots.joined(separator: ", "))\(row); \(remedy)")
    }
}
