import Foundation
import Tensors

/// Tells whether a job holds a run directory, without waiting for it and without taking it.
///
/// A lock shows that at once, and so does the lease of a process of this machine. A lease of another machine must be observed
/// (`LeaseWatch`): until it was not renewed for `RunLease.Timing.stale` seconds, its holder counts as alive. So `isHeld` must be
/// asked at least every second.
package struct RunWatch {
    private let run: RunDirectory
    private var watch = LeaseWatch(limit: RunLease.Timing().stale)

    package init(_ run: RunDirectory) { self.run = run }

    /// Whether a job holds the directory now, as far as this process can tell.
    package mutating func isHeld() -> Bool {
        if isLocked { return true }
        // What cannot be read is left to the job that wants the directory, which says why.
        guard let content = try? RunLease.content(of: RunLock.leasePath(of: run.lock)) else { return false }
        let isStale = watch.look(content, at: Double(RunOwner.now) * 1e-9)
        return switch content.holder?.presence(from: LeaseHolder.ofThisProcess()) ?? .unknown {
        case .there: true
        case .gone: false
        case .unknown: !isStale
        }
    }

    /// Whether another process has the lock. A job that wants it at this moment tries again within its patience.
    private var isLocked: Bool {
        let descriptor = unsafe open(run.lock, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
