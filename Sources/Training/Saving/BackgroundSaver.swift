import Failures
import Foundation
import Runs
import Synchronization

/// Saves checkpoints of rank 0 while training continues. A step waits only if the previous checkpoint is not finished.
final class BackgroundSaver: Sendable {
    private let checkpoints: RunCheckpoints
    private let saved: @Sendable (Int) throws(Failure) -> Void
    private let queue = DispatchQueue(label: "checkpoints")
    private let failure = Mutex<Failure?>(nil)

    /// - Parameter saved: called with the step of each checkpoint that is on the disk, on another thread.
    init(_ checkpoints: RunCheckpoints, saved: @escaping @Sendable (Int) throws(Failure) -> Void) {
        self.checkpoints = checkpoints
        self.saved = saved
    }

    /// Starts saving the newest snapshot in its current state. `before` runs first, on the same thread.
    ///
    /// Throws the failure of an earlier checkpoint.
    func save(before: @escaping @Sendable () throws(Failure) -> Void) throws(Failure) {
        try finish()
        guard let snapshot = checkpoints.snapshots.take() else { return }
        queue.async { [self] in
            defer { checkpoints.snapshots.release(snapshot) }
            do throws(Failure) {
                // A run that continues from the checkpoint does not write the lines before it again, so they must be on the
                // disk first.
                try before()
                try checkpoints.save(snapshot)
                try saved(snapshot.state.step)
            } catch {
                failure.withLock { $0 = error }
            }
        }
    }

    /// Throws the failure of a checkpoint; does not wait.
    func check() throws(Failure) {
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// Waits until the last checkpoint is on the disk; throws its failure.
    func finish() throws(Failure) {
        queue.sync {}
        try check()
    }
}
