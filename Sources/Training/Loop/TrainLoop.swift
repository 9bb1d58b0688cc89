import Failures
import Foundation
import Logging
import MPI
import Runs
import Tasks
import Tensors

/// When the loop logs, evaluates and writes checkpoints.
package struct LoopOptions: Sendable {
    /// Steps of the whole run.
    var steps: Int
    /// A line of `metrics.jsonl` every so many steps.
    var logEvery: Int
    /// Lines after these steps instead; nil for none of that.
    var logSteps: Set<Int>?
    /// An evaluation every so many steps; nil for none but the last.
    var evaluateEvery: Int?
    /// Whether the last step is evaluated.
    var evaluatesLast: Bool
    /// A checkpoint every so many steps, beside those at the end and of the best.
    var checkpointEvery: Int?
    /// Stop ahead of the end.
    var stop: StopConditions

    /// Creates options.
    package init(
        steps: Int, logEvery: Int, logSteps: Set<Int>? = nil, evaluateEvery: Int? = nil, evaluatesLast: Bool,
        checkpointEvery: Int? = nil, stop: StopConditions
    ) {
        self.steps = steps
        self.logEvery = logEvery
        self.logSteps = logSteps
        self.evaluateEvery = evaluateEvery
        self.evaluatesLast = evaluatesLast
        self.checkpointEvery = checkpointEvery
        self.stop = stop
    }
}

/// Trains to the last step or until something asks to stop: step, log, evaluate, checkpoint.
package final class TrainLoop {
    /// How the loop ended.
    package enum Outcome {
        case finished
        case stopped(StopReason)
    }

    private let trainer: Trainer
    private let options: LoopOptions
    private let world: Communicator
    private let evaluation: LoopEvaluation
    private let taskNames: [String]
    private let log: Logger
    private let checkpoints: RunCheckpoints
    /// Rank 0 alone writes.
    private let writer: RunWriter?

    private var now: RunProgress
    private let isResumed: Bool
    private var progress: ProgressLine
    private var loggedAt = ContinuousClock.now
    private let started = ContinuousClock.now
    private var examplesDone: Int64 = 0
    private var tokensDone: Int64 = 0
    private var inputsChecked = ContinuousClock.now

    package init(
        trainer: Trainer, options: LoopOptions, world: Communicator, evaluation: LoopEvaluation, taskNames: [String],
        checkpoints: RunCheckpoints, writer: RunWriter?, log: Logger, resumed: RunState?
    ) {
        self.trainer = trainer
        self.options = options
        self.world = world
        self.evaluation = evaluation
        self.taskNames = taskNames
        self.checkpoints = checkpoints
        self.writer = writer
        self.log = log
        now = RunProgress(
            best: resumed?.best, owesEvaluation: resumed?.owesEvaluation ?? false,
            accumulator: resumed?.accumulator ?? MetricsAccumulator(tasks: taskNames.count), record: resumed?.record)
        isResumed = resumed != nil
        // mpirun gives its ranks a terminal of their own whatever its output goes to: only a process alone can tell.
        progress = ProgressLine(
            step: trainer.state.step, steps: options.steps, isTerminal: world.size == 1 && isatty(STDOUT_FILENO) == 1)
    }

    /// Runs; collective. What it asked to be saved is on the disk when it returns.
    package func run() throws(Failure) -> Outcome {
        let outcome: Outcome
        do throws(Failure) {
            outcome = try train()
        } catch {
            // The checkpoint that is being written is not to stay half-written; what it fails with says nothing new.
            try? writer?.finish()
            throw error
        }
        try writer?.finish()
        return outcome
    }

    private func train() throws(Failure) -> Outcome {
        // Whatever has evaluated the step has left nothing that compares; at the last step nothing else would come.
        if isResumed, now.best == nil, evaluationIsDue(trainer.state.step) { now.owesEvaluation = true }
        if now.owesEvaluation, evaluationIsDue(trainer.state.step), let stop = try evaluate(isSaved: true), isUnfinished
        {
            return leave(stop)
        }
        // Of a run that goes on from there or beyond.
        if let last = options.stop.afterStep, trainer.state.step >= last, isUnfinished { return leave(.preempted) }
        while trainer.state.step < options.steps {
            let completing = trainer.state.step + 1
            let isLast = completing == options.steps
            // To leave after a certain step means nothing after the last one; a signal still does.
            let result = try trainer.step(
                stop: isLast ? options.stop.request : options.stop.request(completing: completing))
            try checkInputsNowAndThen()
            try checkpoints.snapshots.complete { () throws(Failure) in
                now.accumulator.add(result)
                count(result)
                tellIfSkipped(result)
                now.record = recordIfDue(step: completing, isLast: isLast)
                now.owesEvaluation = evaluationIsDue(completing)
                try checkpoints.keep(trainer.state, now)
                // After it is kept, which has the line: a disk that is full, or a kill, loses no step then.
                if let record = now.record { try writer?.append(record) }
            }
            try writer?.check()
            // First what is computed is made safe; the evaluation can be made up for.
            let isDue = options.checkpointEvery.map { completing % $0 == 0 } ?? false
            let saves = isLast || isDue || result.stop != nil
            if saves { try saveNewest() }
            if let stop = result.stop, isUnfinished { return leave(stop) }
            if now.owesEvaluation, let stop = try evaluate(isSaved: saves), isUnfinished { return leave(stop) }
        }
        progress.finish()
        return .finished
    }

    /// Whether a job that leaves now has something to come back for: steps, an evaluation, the report at the end.
    private var isUnfinished: Bool {
        trainer.state.step < options.steps || now.owesEvaluation || options.evaluatesLast
    }

    private func leave(_ stop: StopReason) -> Outcome {
        progress.finish()
        log.notice("leaving after step \(trainer.state.step): \(stop)")
        return .stopped(stop)
    }

    private func evaluationIsDue(_ step: Int) -> Bool {
        let isDue = options.evaluateEvery.map { step % $0 == 0 } ?? false
        return (isDue || (step == options.steps && options.evaluatesLast)) && !evaluation.tasks.isEmpty
    }

    /// Evaluates the present step and writes a checkpoint if it is the best, or one of the step is there that owes the
    /// evaluation. Returns why the job is to end; then a checkpoint of the step is there, which owes the evaluation when
    /// it was given up.
    private func evaluate(isSaved: Bool) throws(Failure) -> StopReason? {
        let begun = ContinuousClock.now
        defer { loggedAt += begun.duration(to: .now) }
        let ending = try evaluation.run(trainer.team.team, world)
        guard ending.isWhole else {
            if !isSaved { try saveNewest() }
            return ending.stop
        }
        try checkpoints.checkInputs(on: world)
        let before = now.best
        let seconds = ProgressLine.seconds(begun.duration(to: .now))
        let record = ending.value.map {
            EvaluationRecord(
                $0, step: trainer.state.step, split: evaluation.split, maxExamples: evaluation.maxExamples,
                seconds: seconds)
        }
        // Any rank may have to save the step.
        now.best = try world.share(record.map(bestSoFar) ?? now.best, "the best evaluation")
        // As with a step: where the job's end comes first the evaluation is still owed, and nothing of it is said.
        try checkpoints.snapshots.complete { () throws(Failure) in
            if let record { try report(record) }
            now.owesEvaluation = false
            try checkpoints.keep(trainer.state, now)
        }
        if isSaved || now.best != before || ending.stop != nil { try writer?.checkpoint() }
        // The steps to come name this one as the best: where all ranks are killed nobody else has it.
        if now.best != before, checkpoints.isInFile { try writer?.finish() }
        return ending.stop
    }

    /// Begins to save the newest snapshot on rank 0, once all ranks have found their files as they were.
    private func saveNewest() throws(Failure) {
        try checkpoints.checkInputs(on: world)
        try writer?.checkpoint()
    }

    /// Looks at this rank's files every few seconds: a step that another rank saves because this one died is right then, but
    /// for the last seconds, and a job does not train for hours what nobody can use.
    private func checkInputsNowAndThen() throws(Failure) {
        // Rank 0 looks first: the ranks of a node would all say the same.
        guard inputsChecked.duration(to: .now) > .seconds(world.rank == 0 ? 5 : 7) else { return }
        try checkpoints.checkInputs()
        inputsChecked = .now
    }

    /// Writes an evaluation down, on rank 0.
    private func report(_ record: EvaluationRecord) throws(Failure) {
        guard let writer else { return }
        try writer.append(record)
        progress.finish()
        let average = "\(evaluation.split) average \(String(format: "%.2f", 100 * record.average))"
        writer.say("step \(record.step): \(average) of \(record.averagedFigures) figures")
        log.info("step \(record.step): \(average)")
    }

    /// The best evaluation, with this one.
    private func bestSoFar(_ record: EvaluationRecord) -> RunState.Best? {
        let value = evaluation.best.mean.value(record)
        guard BestMeasure.isBest(value, of: record, beside: now.best) else { return now.best }
        return RunState.Best(step: record.step, value: value, measure: evaluation.best.text)
    }

    /// The rank whose micro-batch it was knows more than the others.
    private func tellIfSkipped(_ result: StepResult) {
        guard result.isSkipped else { return }
        let step = trainer.state.step
        if let sentence = trainer.notFinite { log.warning("\(sentence)") }
        writer?.say("step \(step): skipped, since the loss or a gradient is not finite; see logs/ of the run directory")
    }

    private func count(_ result: StepResult) {
        for sums in result.tasks {
            examplesDone += sums.examples
            tokensDone += sums.tokens + sums.sourceTokens
        }
    }

    /// The line about the steps since the last one, where one is due.
    private func recordIfDue(step: Int, isLast: Bool) -> TrainRecord? {
        let seconds = ProgressLine.seconds(loggedAt.duration(to: .now))
        if writer != nil {
            let elapsed = max(ProgressLine.seconds(started.duration(to: .now)), 1e-9)
            progress.show(
                step: step, loss: now.accumulator.loss, examples: Double(examplesDone) / elapsed,
                tokens: Double(tokensDone) / elapsed, always: isLast)
        }
        guard options.logSteps?.contains(step) ?? (step % options.logEvery == 0 || isLast) else { return nil }
        let record = now.accumulator.record(step: step, names: taskNames, seconds: seconds)
        log.info("step \(step): loss \(record.loss), \(record.timing.examplesPerSecond) examples/s")
        now.accumulator = MetricsAccumulator(tasks: taskNames.count)
        loggedAt = .now
        return record
    }
}
