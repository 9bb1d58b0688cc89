import Failures
import Foundation
import Tensors

/// Keeps a second job out of a run directory: an advisory lock on a file in it, which ends with the process.
///
/// Where the file cannot be made or the file system has no such locks, a run goes on without it.
final class RunLock {
    private let descriptor: Int32
    /// The file, where it goes with the lock; nil where it stays.
    private let temporary: String?

    /// Takes the lock on a file of that name, which goes with it when `isTemporary`; waits `patience` for a job that is just
    /// ending.
    ///
    /// Throws `cannotWrite` naming the process that has the lock.
    init(
        _ run: RunDirectory, name: String = ".lock", isTemporary: Bool = false, patience: Duration = .seconds(2)
    ) throws(Failure) {
        let path = "\(run.path)/\(name)"
        temporary = isTemporary ? path : nil
        descriptor = try Self.take(path, run, ContinuousClock.now + patience)
        let holder = "process \(getpid()) on \(ProcessInfo.processInfo.hostName)"
        // Only for the message of others; a full disk shows where something is written that counts.
        ftruncate(descriptor, 0)
        _ = holder.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    /// The open file; it holds the lock where there are locks, and is -1 where there is no file.
    private static func take(
        _ path: String, _ run: RunDirectory, _ deadline: ContinuousClock.Instant
    ) throws(Failure) -> Int32 {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
        guard descriptor >= 0 else {
            // The lock's text would be written over a file that somebody else chose.
            if errno == ELOOP { throw writeFailure("open", path) }
            return descriptor
        }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { break }
            guard ContinuousClock.now < deadline else {
                defer { close(descriptor) }
                throw refusal(run, descriptor)
            }
            usleep(20_000)
        }
        var (own, named) = (stat(), stat())
        let isNamed = fstat(descriptor, &own) == 0 && lstat(path, &named) == 0 && own.st_ino == named.st_ino
        guard isNamed || ContinuousClock.now >= deadline else {
            // Who had it before has removed it meanwhile; it is no lock any more.
            close(descriptor)
            return try take(path, run, deadline)
        }
        return descriptor
    }

    deinit {
        guard descriptor >= 0 else { return }
        if let temporary { unlink(temporary) }
        close(descriptor)
    }

    private static func refusal(_ run: RunDirectory, _ descriptor: Int32) -> Failure {
        let text = String(unsafeUninitializedCapacity: 256) { max(0, pread(descriptor, $0.baseAddress, $0.count, 0)) }
            .shown
        return Failure(
            .cannotWrite,
            "the run directory \(run.path) is in use by \(text.isEmpty ? "another job" : text); wait for its end, stop "
                + "it, or choose another with --out")
    }
}
