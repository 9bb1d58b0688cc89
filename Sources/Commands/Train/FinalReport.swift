import Checkpoints
import Configuration
import Failures
import MPI
import Runs
import Tasks
import Tensors
import Training

/// The report at the end of a run: the best checkpoint on the test split, as a table beside the majority answer.
struct FinalReport {
    let session: RunSession
    let trainer: Trainer
    let evaluator: Evaluator
    let checkpoints: RunCheckpoints
    let run: RunDirectory
    let writer: RunWriter?
    /// Whether all ranks share the decoding.
    let spread: Bool

    /// Evaluates and prints; collective. Overwrites the trainer's weights with those of the best checkpoint. Returns why the
    /// evaluation was abandoned, in which case nothing is printed.
    func make(_ stop: EvaluationStop) throws(Failure) -> StopReason? {
        let (world, store) = (session.base.world, checkpoints.store)
        var best = trainer.state.step
        let bestStep = world.rank == 0 ? store.step(of: .best) : nil
        var adapter: ContentDigest?
        if let step = bestStep {
            let checkpoint = try store.open(.step(step))
            try checkpoint.loadWeights(trainer.state.parameters, into: trainer.state.weights)
            adapter = checkpoint.adapterDigest
            best = step
        }
        try unsafe world.broadcast(UnsafeMutableRawBufferPointer(trainer.state.weights.elements), from: 0)
        let split: SplitName = session.evaluationTasks(.test).isEmpty ? .validation : .test
        let evaluation = EvaluationSession(session)
        let tasks = evaluation.tasks(split)
        let begun = ContinuousClock.now
        let ending = try stop.watch(onAllRanks: spread) { () throws(Failure) in
            try evaluator.evaluate(tasks, team: trainer.team.team, over: spread ? world : nil)
        }
        guard ending.isWhole else { return ending.stop }
        try session.inputs.check(on: world, MappedInputs.noFigures)
        guard let writer, let results = ending.value else { return nil }
        let seconds = ProgressLine.seconds(begun.duration(to: .now))
        let baselines = try evaluation.baselines(tasks)
        let record = evaluation.record(
            results, of: tasks, split: split, step: best,
            adapter: adapter ?? (try? store.open(.step(best)))?.adapterDigest, seed: session.base.configuration.seed,
            baselines: baselines, seconds: seconds)
        try AnswersFile(results).write(run, split: split)
        try EvaluationFile(record).write(run, split: split)
        try writer.drawEnd(record.ofBest, of: trainer.state.step)
        writer.say(
            "\n\(split) split, \(bestStep == nil ? "last" : "best") checkpoint (step \(best)), times 100; baseline: the most "
                + "frequent answer")
        writer.say(ScoreTable(results, baseline: baselines.mapValues(\.scores)).text)
        for note in evaluation.footnotes(split, isBest: bestStep != nil) { writer.say(note) }
        writer.say("")
        let bestPath = bestStep == nil ? "none, since nothing was evaluated" : "\(store.directory)/best"
        writer.say("best checkpoint: \(bestPath)    last: \(store.directory)/last")
        writer.say("figures: \(EvaluationFile.path(run, split))    metrics: \(run.metrics)")
        return nil
    }
}
