import Failures
package import Runs
import Synchronization

/// Gives `HealthMonitor` the newest snapshot of this rank, once the run has one.
package final class LastSnapshot: Sendable {
    private let checkpoints = Mutex<RunCheckpoints?>(nil)
    private let ending: RunEnding

    package init(ending: RunEnding) {
        self.ending = ending
    }

    /// From now on there may be snapshots.
    package func watch(_ checkpoints: RunCheckpoints) {
        self.checkpoints.withLock { $0 = checkpoints }
    }

    /// The actions that the monitor may take on the run.
    package var actions: HealthMonitor.Actions {
        HealthMonitor.Actions(
            freeze: { [self] in checkpoints.withLock { $0 }?.snapshots.freeze(patience: 0.3) },
            save: { [self] () throws(Failure) in try checkpoints.withLock { $0 }?.saveNewest() },
            step: { [self] in checkpoints.withLock { $0 }?.snapshots.step },
            end: { [ending] state, reason, step, exitCode in
                if let step { ending.recordDurable(step) }
                return ending.failed(state, reason, exitCode: exitCode, step: step)
            })
    }
}
