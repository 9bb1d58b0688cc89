package import Failures
import Foundation
package import Logging
package import MPI
package import Runs
import Tasks
import Tensors

/// Trains to the last step or until something requests a stop: step, log, evaluate, checkpoint.
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
    /// Only rank 0 writes; nil on other ranks.
    private let writer: RunWriter?
    /// The distributions that TensorBoard shows; only rank 0 has them.
    private let histograms: RunHistograms?

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
        checkpoints: RunCheckpoints, writer: RunWriter?, histograms: RunHistograms?, log: Logger, resumed: RunState?
    ) {
        self.trainer = trainer
        self.options = options
        self.world = world
        self.evaluation = evaluation
        self.taskNames = taskNames
        self.checkpoints = checkpoints
        self.writer = writer
        self.histograms = histograms
        self.log = log
        now = RunProgress(
            best: resumed?.best, owesEvaluation: resumed?.owesEvaluation ?? false,
            accumulator: resumed?.accumulator ?? MetricsAccumulator(tasks: taskNames.count), record: resumed?.record,
            interference: resumed?.interference)
        isResumed = resumed != nil
        // mpirun gives its ranks a terminal whatever its own output is, so only a single process can tell.
        progress = ProgressLine(
            step: trainer.state.step, steps: options.steps, isTerminal: world.size == 1 && isatty(STDOUT_FILENO) == 1)
    }

    /// Runs the loop; collective. When it returns, all checkpoints that it started are on the disk.
    package func run() throws(Failure) -> Outcome {
        let outcome: Outcome
        do throws(Failure) {
            outcome = try train()
        } catch {
            // The checkpoint in progress must not stay half-written; an error in it is less important than this one.
            try? writer?.finish()
            throw error
        }
        try writer?.finish()
        return outcome
    }

    private func train() throws(Failure) -> Outcome {
        // An earlier evaluation of this step cannot be compared any more, and at the last step no later one would follow.
        if isResumed, now.best == nil, evaluationIsDue(trainer.state.step) { now.owesEvaluation = true }
        if now.owesEvaluation, evaluationIsDue(trainer.state.step), let stop = try evaluate(isSaved: true), isUnfinished
        {
            return leave(stop)
        }
        // The run resumed at or beyond the step after which it was to stop.
        if let last = options.stop.afterStep, trainer.state.step >= last, isUnfinished { return leave(.preempted) }
        while trainer.state.step < options.steps {
            let completing = trainer.state.step + 1
            let isLast = completing == options.steps
            // Leaving after a certain step has no meaning at the last step; a signal still has.
            let result = try trainer.step(
                stop: isLast ? options.stop.request : options.stop.request(completing: completing))
            try checkInputsNowAndThen()
            try checkpoints.snapshots.complete { () throws(Failure) in
                now.accumulator.add(result)
                count(result)
                tellIfSkipped(result)
                now.record = recordIfDue(step: completing, isLast: isLast)
                now.interference = trainer.measured
                now.owesEvaluation = evaluationIsDue(completing)
                try checkpoints.keep(trainer.state, now)
                // The lines are written after the snapshot, which contains them: a full disk or a kill then loses no step.
                if let record = now.record { try writer?.append(record) }
                if let record = now.interference { try writer?.append(record) }
                if isLast, !now.owesEvaluation { try drawHistograms() }
            }
            try writer?.check()
            // The computed step is saved first; the evaluation can be repeated.
            let saves = options.saves(completing) || result.stop != nil
            if saves { try saveNewest() }
            if let stop = result.stop, isUnfinished { return leave(stop) }
            if now.owesEvaluation, let stop = try evaluate(isSaved: saves), isUnfinished { return leave(stop) }
        }
        LiveLine.end()
        return .finished
    }

    /// Whether a job that leaves now leaves anything undone: steps, an evaluation, or the report at the end.
    private var isUnfinished: Bool {
        trainer.state.step < options.steps || now.owesEvaluation || options.evaluatesLast
    }

    private func leave(_ stop: StopReason) -> Outcome {
        LiveLine.end()
        log.notice("leaving after step \(trainer.state.step): \(stop)")
        return .stopped(stop)
    }

    private func evaluationIsDue(_ step: Int) -> Bool {
        options.evaluates(step) && !evaluation.tasks.isEmpty
    }

    /// Evaluates the current step and writes a checkpoint if the step is the best so far, or if the step's existing checkpoint
    /// still owes the evaluation. Returns why the job must end, or nil. If the job must end, a checkpoint of the step exists;
    /// it owes the evaluation if that was abandoned.
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
        // Every rank must know it, since any rank may have to save the step.
        now.best = try world.share(record.map(bestSoFar) ?? now.best, "the best evaluation")
        // As with a step: if the job ends first, the evaluation is still owed and nothing about it is reported.
        try checkpoints.snapshots.complete { () throws(Failure) in
            if let record { try report(record) }
            try drawHistograms()
            now.owesEvaluation = false
            try checkpoints.keep(trainer.state, now)
        }
        if isSaved || now.best != before || ending.stop != nil { try writer?.checkpoint() }
        // The next snapshots name this step as the best; if all ranks were killed, no other copy of it would exist.
        if now.best != before, checkpoints.isInFile { try writer?.finish() }
        return ending.stop
    }

    /// Starts saving the newest snapshot on rank 0, after all ranks have found their files unchanged.
    private func saveNewest() throws(Failure) {
        try checkpoints.checkInputs(on: world)
        try writer?.checkpoint()
    }

    /// Checks this rank's files every few seconds. So if this rank dies and another rank saves the step, only the last seconds
    /// can be wrong; and a job does not train for hours with a useless result.
    private func checkInputsNowAndThen() throws(Failure) {
        // Rank 0 checks first, because all ranks of a node would report the same.
        guard inputsChecked.duration(to: .now) > .seconds(world.rank == 0 ? 5 : 7) else { return }
        try checkpoints.checkInputs()
        inputsChecked = .now
    }

    /// Records an evaluation, on rank 0.
    private func report(_ record: EvaluationRecord) throws(Failure) {
        guard let writer else { return }
        try writer.append(record)
        let average = "\(evaluation.split) average \(String(format: "%.2f", 100 * record.average))"
        writer.say("step \(record.step): \(average) of \(record.averagedFigures) figures")
        writer.say("step \(record.step): \(evaluation.figures(of: record))")
        log.info("step \(record.step): \(average)")
    }

    /// Draws the weights as they are now, on rank 0.
    private func drawHistograms() throws(Failure) {
        guard let writer, let histograms else { return }
        try writer.draw(histograms.values, step: trainer.state.step)
    }

    /// The best evaluation, taking this one into account.
    private func bestSoFar(_ record: EvaluationRecord) -> RunState.Best? {
        let value = evaluation.best.mean.value(record)
        guard BestMeasure.isBest(value, of: record, beside: now.best) else { return now.best }
        return RunState.Best(step: record.step, value: value, measure: evaluation.best.text)
    }

    /// Logs on the rank that computed the micro-batch what was not finite, since it knows more than the others.
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

    /// The line about the steps since the previous line, if one is due.
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
