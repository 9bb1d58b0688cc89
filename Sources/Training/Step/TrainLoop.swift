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
    /// Name of the evaluated split.
    var split: String
    /// The mean that the best checkpoint is greatest in.
    var best: BestMeasure
    /// Whether all ranks share the decoding.
    var evaluatesOnAllRanks: Bool
    /// A checkpoint every so many steps, beside those at the end and of the best.
    var checkpointEvery: Int?
    /// Stop ahead of the end.
    var stop: StopConditions

    /// What the best checkpoint is best in, in words that a checkpoint keeps.
    var bestName: String { "\(split) \(best.rawValue)" }
}

/// The mean of an evaluation that the best checkpoint is greatest in.
enum BestMeasure: String, Sendable {
    /// Over all figures.
    case average
    /// Over the tasks' own means.
    case taskMean

    func value(_ record: EvaluationRecord) -> Double {
        switch self {
        case .average: record.average
        case .taskMean: record.averageOverTasks
        }
    }
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
    private let evaluator: Evaluator
    private let evaluationTasks: [EvaluationTask]
    private let taskNames: [String]
    private let log: Logger
    /// Rank 0 alone writes.
    private let writer: RunWriter?

    private var accumulator: MetricsAccumulator
    private var best: RunState.Best?
    private var progress: ProgressLine
    private var loggedAt = ContinuousClock.now
    private let started = ContinuousClock.now
    private var examplesDone: Int64 = 0
    private var tokensDone: Int64 = 0

    init(
        trainer: Trainer, options: LoopOptions, world: Communicator, evaluator: Evaluator,
        evaluationTasks: [EvaluationTask], taskNames: [String], writer: RunWriter?, log: Logger,
        resumed: (accumulator: MetricsAccumulator, best: RunState.Best?)?
    ) {
        self.trainer = trainer
        self.options = options
        self.world = world
        self.evaluator = evaluator
        self.evaluationTasks = evaluationTasks
        self.taskNames = taskNames
        self.writer = writer
        self.log = log
        accumulator = resumed?.accumulator ?? MetricsAccumulator(tasks: taskNames.count)
        // What another measure found best is no match for this one.
        best = resumed?.best.flatMap { $0.measure == options.bestName ? $0 : nil }
        // mpirun gives its ranks a terminal of their own whatever its output goes to: only a process alone can tell.
        progress = ProgressLine(
            step: trainer.state.step, steps: options.steps, isTerminal: world.size == 1 && isatty(STDOUT_FILENO) == 1)
    }

    /// Runs; collective.
    func run() throws(Failure) -> Outcome {
        while trainer.state.step < options.steps {
            let completing = trainer.state.step + 1
            let result = try trainer.step(stop: options.stop.request(completing: completing))
            accumulator.add(result)
            count(result)
            let isLast = completing == options.steps
            try logIfDue(step: completing, isLast: isLast)
            let improved = try evaluateIfDue(step: completing, isLast: isLast)
            let stops = result.stop != nil && !isLast
            let isDue = options.checkpointEvery.map { completing % $0 == 0 } ?? false
            if isDue || improved || isLast || stops {
                try writer?.checkpoint(trainer.state, best: best, accumulator: accumulator, isBest: improved)
            }
            if let stop = result.stop, stops {
                progress.finish()
                log.notice("leaving after step \(completing): \(stop)")
                return .stopped(stop)
            }
        }
        progress.finish()
        return .finished
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

    /// Evaluates when it is time; returns whether the result is the best so far (on rank 0; elsewhere false).
    private func evaluateIfDue(step: Int, isLast: Bool) throws(Failure) -> Bool {
        let isDue = options.evaluateEvery.map { step % $0 == 0 } ?? false
        guard isDue || (isLast && options.evaluatesLast), !evaluationTasks.isEmpty else { return false }
        let begun = ContinuousClock.now
        defer { loggedAt += begun.duration(to: .now) }
        var results: [EvaluatedTask] = []
        if options.evaluatesOnAllRanks {
            results = try evaluator.evaluate(evaluationTasks, team: trainer.team, over: world)
        } else if world.rank == 0 {
            results = try evaluator.evaluate(evaluationTasks, team: trainer.team, over: nil)
        }
        guard let writer else { return false }
        let seconds = ProgressLine.seconds(begun.duration(to: .now))
        let record = EvaluationRecord(results, step: step, split: options.split, seconds: seconds)
        try writer.append(record)
        progress.finish()
        writer.say(
            "step \(step): \(options.split) average \(String(format: "%.2f", 100 * record.average)) "
                + "of \(record.averagedFigures) figures")
        log.info("step \(step): \(options.split) average \(record.average)")
        let value = options.best.value(record)
        guard best.map({ value > $0.value }) ?? true else { return false }
        best = RunState.Best(step: step, value: value, measure: options.bestName)
        return true
    }
}

extension EvaluationRecord {
    /// The line for an evaluation that took `seconds`.
    init(_ results: [EvaluatedTask], step: Int, split: String, seconds: Double) {
        let average = ScoreAverage(results.filter { !$0.isBeside }.map(\.scores))
        let examples = results.reduce(0) { $0 + $1.scores.examples }
        self.init(
            step: step, split: split, average: average?.overFigures ?? 0, averagedFigures: average?.figures ?? 0,
            averageOverTasks: average?.overTasks ?? 0,
            tasks: Dictionary(
                uniqueKeysWithValues: results.map { result in
                    let figures = result.scores.figures
                    return (
                        result.name,
                        Task(
                            figures: Dictionary(uniqueKeysWithValues: figures.map { ($0.metric.rawValue, $0.value) }),
                            examples: result.scores.examples, invalidAnswers: result.scores.invalidAnswers,
                            undefined: figures.filter(\.isUndefined).map(\.metric.rawValue))
                    )
                }),
            timing: Timing(seconds: seconds, examplesPerSecond: Double(examples) / max(seconds, 1e-9)))
    }
}
