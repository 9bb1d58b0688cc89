import Configuration
import Failures
import Foundation
import MPI
import Runs
import Training

/// How a training ends before its last step.
extension TrainCommand {
    /// Saves the last step and records how the job ends, after a failure of this rank; on any thread.
    func whatFailureDoes(_ snapshots: LastSnapshot) -> @Sendable (Failure, HealthMonitor?) -> Void {
        { [ending, rank = world.rank] failure, monitor in
            // If MPI fails because a rank died, the monitor is about to name that rank and ends the job.
            if failure.code == .rankLost { usleep(500_000) }
            // The state of a rank that disagrees with the others must not be continued.
            let step = monitor?.beginFailure(saves: failure.code != .ranksDisagree)
            if let step { ending.recordDurable(step) }
            let reason = "rank \(rank): \(failure.message)"
            let done = step ?? snapshots.actions.step()
            // The disk may be what hangs.
            _ = Bounded {
                // Before the status, since a refused start may write its own status and no more.
                ending.log(failure, rank: rank)
                ending.failed(.failed, reason, exitCode: failure.code.rawValue, step: done)
            }.result(within: 5)
        }
    }

    /// Whether SIGUSR1 to any rank, or the end of the job's time, has asked the run to leave so far; collective. For use during
    /// the start, which may take minutes.
    func requestedStop() throws(Failure) -> StopReason? {
        StopReason.together(try world.allReduce(.maximum, request.stop.request == nil ? Int64(0) : 1))
    }

    func leaveUnbegun(_ reason: StopReason) -> Int32 {
        if let shortage = request.stop.shortage { say("warning: \(shortage)") }
        say("stopped during the start: \(reason); start again to continue")
        if world.rank == 0 { ending.failed(.preempted, "\(reason)", exitCode: reason.exitCode) }
        return reason.exitCode
    }

    func leave(_ reason: StopReason, _ state: TrainState) throws(Failure) -> Int32 {
        if request.replayedLines == nil || state.step != request.stop.afterStep {
            say("stopped after step \(state.step) of \(configuration.steps): \(reason); start again to continue")
        }
        if world.rank == 0 {
            try ending.ended(.preempted, "\(reason)", step: state.step, exitCode: reason.exitCode)
        }
        return reason.exitCode
    }
}
