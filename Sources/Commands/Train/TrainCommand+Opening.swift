import Checkpoints
import Configuration
import Failures
import Foundation
import Logging
import MPI
import Runs
import Tensors
import Training

/// The files of the run directory that a training opens or takes over.
extension TrainCommand {
    /// Takes the run directory for this job, on rank 0. If another job takes it later, this job ends.
    func takeRunDirectory() throws(Failure) -> RunLock {
        let lock = try RunLock(run, patience: request.patience, say: say)
        let world = world
        lock.lease?.whenLost { failure in
            let place = world.size > 1 ? " rank 0 on \(ProcessInfo.processInfo.hostName):" : ""
            _ = Bounded { Terminal.complain("unolora-dist:\(place) \(failure.message)") }.result(within: 1)
            world.abort(failure.code)
        }
        return lock
    }

    /// Makes a checkpoint from the snapshot that a killed job left in a file, unless there is a later checkpoint. It does so
    /// even if the run continues from an earlier step, which sets later checkpoints aside.
    func recover(_ checkpoints: RunCheckpoints, _ identity: RunState.Identity) throws(Failure) {
        let (newest, damaged) = SnapshotFile.left(run)
        let reason = "it is incomplete, as after a kill while it was written"
        for path in damaged { say("refused \(path): \(reason)") }
        guard let left = newest else {
            // The damaged snapshot may have been the only result of the run.
            guard let first = damaged.first, try checkpoints.store.steps().isEmpty else { return }
            throw Failure(
                .badData,
                "\(first): \(reason), and \(run.path) has neither another snapshot nor a checkpoint; start anew with another "
                    + "--out, or remove the snapshot files")
        }
        guard request.resume != .never else {
            throw Failure(
                .usage,
                "\(run.path) holds the snapshot of step \(left.state.step), which --resume never would overwrite; choose "
                    + "another --out or --resume auto")
        }
        try left.state.identity.refuseDifference(from: identity, path: SnapshotFile.paths(run)[0])
        guard try left.state.step > checkpoints.store.newestIntact().checkpoint?.step ?? 0 else { return }
        say("recovered step \(try checkpoints.save(left)) from the snapshot of a job that was killed")
    }

    /// Says that the last checkpoint was not written to its end, unless the snapshot had that step: without a word, the steps
    /// after the one before would seem to be lost for no reason.
    func report(unfinished step: Int, in store: CheckpointStore) throws(Failure) {
        guard try store.newestIntact().checkpoint?.step ?? 0 < step else { return }
        say(
            "note: the checkpoint of step \(step) was not written to its end, since the processes were killed meanwhile, as Open "
                + "MPI's mpirun does three seconds after Ctrl-C or SIGTERM; to keep such a step, set checkpoint.snapshot: file, or "
                + "stop mpirun with SIGUSR1, which has no time limit")
    }

    func makeLog() throws(Failure) -> Logger {
        let handler = try RankLogHandler(path: run.log(rank: world.rank), owner: run.owner)
        return Logger(label: "unolora-dist") { _ in handler }
    }

    func makeWriter(
        _ state: TrainState, _ checkpoints: RunCheckpoints, _ resumed: Resumption.Resumed?
    ) throws(Failure) -> RunWriter {
        try run.owner.check()
        if resumed == nil { try run.refuseToReplace(configuration: request.source, by: configuration) }
        let start = MetricsLog.Start(
            step: state.step, owesEvaluation: resumed?.state.owesEvaluation ?? false, record: resumed?.state.record,
            interference: resumed?.state.interference)
        let writer = try RunWriter(
            run: run, checkpoints: checkpoints, ending: ending, start: start,
            beginning: configuration.writesTensorBoard ? Event.beginning(of: configuration, in: run) : nil,
            hasOtherNodes: hasOtherNodes)
        if let resumed, resumed.isFromElsewhere || !resumed.remarks.isEmpty {
            // If the run is killed before its next checkpoint, it must be able to continue from here. It must not find a best
            // checkpoint again that was discarded: only `config.yaml`, which is replaced below, may say how that one was
            // chosen.
            try checkpoints.keep(
                state,
                RunProgress(
                    best: nil, owesEvaluation: start.owesEvaluation, accumulator: resumed.state.accumulator,
                    record: start.record, interference: start.interference))
            try writer.checkpoint()
            try writer.finish()
        }
        try DurableFile.replace(run.configuration) { file throws(Failure) in
            try file.write(configuration.resolvedYAML(in: run.path))
        }
        return writer
    }
}
