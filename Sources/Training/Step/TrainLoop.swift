import Failures
import Foundation
import Logging
import MPI
import Tasks
import Tensors

/// When the loop logs, evaluates and writes checkpoints.
struct LoopOptions: Sendable {
    /// Steps of the whole run.
    var steps: Int
    /// A line of `metrics.jsonl` every so many steps.
    var logEvery: Int
    /// An evaluation every so many steps; nil for none but the last.
    var evaluateEvery: Int?
    /// Whether the last step is evaluated.
    var evaluatesLast: Bool
    /// A checkpoint every so many steps, beside those at the end and of the best.
    var checkpointEvery: Int?
    /// Stop ahead of the end.
    var stop: StopConditions
}

/// Trains to the last step or until something asks to stop: step, log, evaluate, checkpoint.
final class TrainLoop {
    /// How the loop ended.
    enum Outcome {
        case finished
        case stopped(StopReason)
    }

    private let trainer: Trainer
    private let options: LoopOptions
    private let world: Communicator
    private let evaluation: LoopEvaluation
    private let taskNames: [String]
    private let log: Logger
    /// Rank 0 alone writes.
    private let writer: RunWriter?

    private var accumulator: MetricsAccumulator
    private var best: RunState.Best?
    /// Whether the evaluation that is due at the present step is still to be made.
    private var owesEvaluation: Bool
    private var progress: ProgressLine
    private var loggedAt = ContinuousClock.now
    private let started = ContinuousClock.now
    private var examplesDone: Int64 = 0
    private var tokensDone: Int64 = 0

    init(
        trainer: Trainer, options: LoopOptions, world: Communicator, evaluation: LoopEvaluation, taskNames: [String],
        writer: RunWriter?, log: Logger, resumed: RunState?
    ) {
        self.trainer = trainer
        self.options = options
        self.world = world
        self.evaluation = evaluation
        self.taskNames = taskNames
        self.writer = writer
        self.log = log
        accumulator = resumed?.accumulator ?? MetricsAccumulator(tasks: taskNames.count)
        // What another measure found best is no match for this one.
        best = resumed?.best.flatMap { $0.measure == evaluation.bestName ? $0 : nil }
        owesEvaluation = resumed?.owesEvaluation ?? false
        // mpirun gives its ranks a terminal of their own whatever its output goes to: only a process alone can tell.
        progress = ProgressLine(
            step: trainer.state.step, steps: options.steps, isTerminal: world.size == 1 && isatty(STDOUT_FILENO) == 1)
    }

    /// Runs; collective.
    func run() throws(Failure) -> Outcome {
        if owesEvaluation, evaluationIsDue(trainer.state.step), let stop = try evaluate(isSaved: true) {
            return leave(stop)
        }
        while trainer.state.step < options.steps {
            let completing = trainer.state.step + 1
            let result = try trainer.step(stop: options.stop.request(completing: completing))
            accumulator.add(result)
            count(result)
            let isLast = completing == options.steps
            try logIfDue(step: completing, isLast: isLast)
            owesEvaluation = evaluationIsDue(completing)
            let stop = isLast ? nil : result.stop
            // First what is computed is made safe; the evaluation can be made up for.
            let saves = isLast || stop != nil || options.checkpointEvery.map { completing % $0 == 0 } ?? false
            if saves { try save() }
            if let stop { return leave(stop) }
            if owesEvaluation, let stop = try evaluate(isSaved: saves) { return leave(stop) }
        }
        progress.finish()
        return .finished
    }

    private func leave(_ stop: StopReason) -> Outcome {
        progress.finish()
        log.notice("leaving after step \(trainer.state.step): \(stop)")
        return .stopped(stop)
    }

    private func save() throws(Failure) {
        try writer?.checkpoint(trainer.state, best: best, accumulator: accumulator, owesEvaluation: owesEvaluation)
    }

    private func evaluationIsDue(_ step: Int) -> Bool {
        let isDue = options.evaluateEvery.map { step % $0 == 0 } ?? false
        return (isDue || (step == options.steps && options.evaluatesLast)) && !evaluation.tasks.isEmpty
    }

    /// Evaluates the present step and writes a checkpoint if it is the best, or one of the step is there that owes the
    /// evaluation. Returns why it was given up; then the checkpoint owes it.
    private func evaluate(isSaved: Bool) throws(Failure) -> StopReason? {
        let begun = ContinuousClock.now
        defer { loggedAt += begun.duration(to: .now) }
        let step = trainer.state.step
        let results = try evaluation.run(trainer.team, world)
        if let stop = try evaluation.stop.reason(world) {
            if !isSaved { try save() }
            return stop
        }
        owesEvaluation = false
        guard let writer else { return nil }
        let record = EvaluationRecord(
            results, step: step, split: evaluation.split, seconds: ProgressLine.seconds(begun.duration(to: .now)))
        try writer.append(record)
        progress.finish()
        let average = "\(evaluation.split) average \(String(format: "%.2f", 100 * record.average))"
        writer.say("step \(step): \(average) of \(record.averagedFigures) figures")
        log.info("step \(step): \(average)")
        let value = evaluation.best.value(record)
        let improved = best.map { value > $0.value } ?? true
        if improved { best = RunState.Best(step: step, value: value, measure: evaluation.bestName) }
        if isSaved || improved { try save() }
        return nil
    }

    private func count(_ result: StepResult) {
        for sums in result.tasks {
            examplesDone += sums.examples
            tokensDone += sums.tokens + sums.sourceTokens
        }
    }

    private func logIfDue(step: Int, isLast: Bool) throws(Failure) {
        let seconds = ProgressLine.seconds(loggedAt.duration(to: .now))
        if writer != nil {
            let elapsed = max(ProgressLine.seconds(started.duration(to: .now)), 1e-9)
            progress.show(
                step: step, loss: accumulator.loss, examples: Double(examplesDone) / elapsed,
                tokens: Double(tokensDone) / elapsed, always: isLast)
        }
        guard step % options.logEvery == 0 || isLast else { return }
        let record = accumulator.record(step: step, names: taskNames, seconds: seconds)
        log.info("step \(step): loss \(record.loss), \(record.timing.examplesPerSecond) examples/s")
        try writer?.append(record)
        accumulator = MetricsAccumulator(tasks: taskNames.count)
        loggedAt = .now
    }
}
