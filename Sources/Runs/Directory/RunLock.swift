package import Failures
import Foundation
import Tensors

/// Keeps a second job out of a run directory. It has an advisory lock on a file in it, which ends with the process, and a lease
/// (`RunLease`), which works where the file system has no locks and where the lock's file was removed.
///
/// When neither file can be made because the directory is not writable, the run goes on without them: no job can write there.
package final class RunLock {
    /// The lease; nil when it cannot be made.
    package private(set) var lease: RunLease?
    private let descriptor: Int32
    /// The path of the file if it is removed with the lock; nil if it stays.
    private let temporary: String?

    /// Takes the lock on a file with this name; with `isTemporary` the file is removed with the lock. It waits for `patience`
    /// if another job is just ending, and longer if only time can tell whether the other job is alive; then `say` tells the
    /// user.
    ///
    /// Throws `cannotWrite` with the name of the process that holds the lock.
    package init(
        _ run: RunDirectory, name: String = ".lock", isTemporary: Bool = false, patience: Duration = .seconds(2),
        timing: RunLease.Timing = RunLease.Timing(), say: (String) -> Void = { _ in }
    ) throws(Failure) {
        let path = "\(run.path)/\(name)"
        let deadline = ContinuousClock.now + patience
        let (descriptor, isHeld) = try Self.take(path, run, deadline, say)
        self.descriptor = descriptor
        temporary = isTemporary ? path : nil
        do throws(Failure) {
            lease = try Self.lease(of: path, run, isAlone: isHeld, timing, deadline, say)
        } catch {
            if descriptor >= 0 { close(descriptor) }
            throw error
        }
        let holder = LeaseHolder.ofThisProcess().description
        // The text is only for messages of other jobs; if the disk is full, a more important file reports that.
        ftruncate(descriptor, 0)
        _ = unsafe holder.withCString { unsafe pwrite(descriptor, $0, strlen($0), 0) }
    }

    /// The path of the lease beside a lock.
    package static func leasePath(of lock: String) -> String {
        (lock.hasSuffix(".lock") ? String(lock.dropLast(5)) : lock) + ".lease"
    }

    private static func lease(
        of lock: String, _ run: RunDirectory, isAlone: Bool, _ timing: RunLease.Timing,
        _ deadline: ContinuousClock.Instant, _ say: (String) -> Void
    ) throws(Failure) -> RunLease? {
        // A directory that does not exist or is not writable cannot be used by two jobs either.
        guard unsafe access(run.path, W_OK) == 0 else { return nil }
        return try RunLease(
            leasePath(of: lock), of: run.path, owner: run.owner, isAlone: isAlone, timing: timing, deadline: deadline,
            say: say)
    }

    /// The open file (-1 if there is none) and whether it is locked; it may be open without being locked.
    private static func take(
        _ path: String, _ run: RunDirectory, _ deadline: ContinuousClock.Instant, _ say: (String) -> Void
    ) throws(Failure) -> (descriptor: Int32, isHeld: Bool) {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else {
            // Through a link, the lock's text would be written to a file that somebody else chose.
            if errno == ELOOP { throw writeFailure("open", path) }
            return (descriptor, false)
        }
        let begun = ContinuousClock.now
        var hasSaid = false
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { return (descriptor, false) }
            let now = ContinuousClock.now
            guard now < deadline else {
                defer { close(descriptor) }
                throw refusal(run.path, holder(descriptor))
            }
            // The delay avoids a message about a job that ends within a moment.
            if !hasSaid, begun.duration(to: now) > .seconds(3) {
                hasSaid = true
                say("\(holder(descriptor)) has \(run.path); waiting for its end")
            }
            leaveIfSignalled()
            usleep(20_000)
        }
        var (own, named) = (stat(), stat())
        let isNamed = unsafe fstat(descriptor, &own) == 0 && lstat(path, &named) == 0 && own.st_ino == named.st_ino
        guard isNamed || ContinuousClock.now >= deadline else {
            // The previous holder has removed the file in the meantime, so a lock on it means nothing.
            close(descriptor)
            return try take(path, run, deadline, say)
        }
        return (descriptor, true)
    }

    deinit {
        // The lease goes first: a job that gets the lock then does not wait for the lease.
        lease = nil
        guard descriptor >= 0 else { return }
        if let temporary { unsafe unlink(temporary) }
        close(descriptor)
    }

    private static func holder(_ descriptor: Int32) -> String {
        let text = unsafe String(unsafeUninitializedCapacity: 256) {
            unsafe max(0, pread(descriptor, $0.baseAddress, $0.count, 0))
        }
        .shown
        return text.isEmpty ? "another job" : text
    }

    /// The refusal because another job holds the directory; `copy` is a file that would cause it in a copy of the directory
    /// too.
    static func refusal(_ directory: String, _ holder: String, copy: String? = nil) -> Failure {
        let copied = copy.map { "; in a copy of a run directory remove \($0)" } ?? ""
        return Failure(
            .cannotWrite,
            "the run directory \(directory) is in use by \(holder); wait for its end, stop it, or choose another with "
                + "--out\(copied)")
    }

    /// Ends the process if it was asked to end while it waits; nothing has begun yet.
    static func leaveIfSignalled() {
        if let signal = StopSignals.ending { _exit(128 + signal) }
    }
}
