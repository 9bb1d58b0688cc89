import Failures
import Foundation
import Tensors

/// Keeps a second job out of a run directory: an advisory lock on its file `.lock`, which ends with the process.
///
/// Where the file cannot be made or the file system has no such locks, a run goes on without it.
final class RunLock {
    private let descriptor: Int32

    /// Takes the lock; waits `patience` for a job that is just ending.
    ///
    /// Throws `cannotWrite` naming the process that has the lock.
    init(_ run: RunDirectory, patience: Duration = .seconds(2)) throws(Failure) {
        descriptor = try Self.take(run.path + "/.lock", run, patience)
        let holder = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)"
        // Only for the message of others; a full disk shows where something is written that counts.
        ftruncate(descriptor, 0)
        _ = holder.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    /// The open file; it holds the lock where there are locks, and is -1 where there is no file.
    private static func take(_ path: String, _ run: RunDirectory, _ patience: Duration) throws(Failure) -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else {
            // The lock's text would be written over a file that somebody else chose.
            if errno == ELOOP { throw writeFailure("open", path) }
            return descriptor
        }
        let deadline = ContinuousClock.now + patience
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { break }
            guard ContinuousClock.now < deadline else {
                defer { close(descriptor) }
                throw refusal(run, descriptor)
            }
            usleep(20_000)
        }
        return descriptor
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private static func refusal(_ run: RunDirectory, _ descriptor: Int32) -> Failure {
        let text = String(unsafeUninitializedCapacity: 256) { max(0, pread(descriptor, $0.baseAddress, $0.count, 0)) }
            .shown
        return Failure(
            .cannotWrite,
            "the run directory \(run.path) is in use by \(text.isEmpty ? "another job" : text); wait for its end, stop "
                + "it, or choose another with --out")
    }
}
