import Failures
import Foundation
import Synchronization

/// Saves checkpoints of rank 0 while training goes on. A step waits only where the checkpoint before is not finished.
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

    /// Begins to save the newest snapshot as it is now. `before` is done ahead of it, on the same thread.
    ///
    /// Throws what an earlier one failed with.
    func save(before: @escaping @Sendable () throws(Failure) -> Void) throws(Failure) {
        try finish()
        guard let snapshot = checkpoints.snapshots.take() else { return }
        queue.async { [self] in
            defer { checkpoints.snapshots.release(snapshot) }
            do throws(Failure) {
                // A run that goes on from the checkpoint does not write again what was written before it.
                try before()
                try checkpoints.save(snapshot)
                try saved(snapshot.state.step)
            } catch {
                failure.withLock { $0 = error }
            }
        }
    }

    /// Throws what a checkpoint failed with; does not wait.
    func check() throws(Failure) {
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// Returns when the last checkpoint is on the disk; throws what it failed with.
    func finish() throws(Failure) {
        queue.sync {}
        try check()
    }
}
