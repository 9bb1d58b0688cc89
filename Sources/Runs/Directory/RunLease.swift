package import Failures
import Foundation
import Synchronization
import Tensors

/// Holds a run directory by a file in it, which names the holding process and is renewed all the time. It complements the lock
/// where the file system has no locks or somebody removed the lock's file.
///
/// A job that wants the directory at once takes over the lease of a process on the same machine that has ended. For any other
/// holder it waits for a sign of life: a living holder keeps the directory, one without a sign of life for `Timing.stale`
/// seconds loses it. If that holder was only stopped, it notices the loss before it writes again (`RunOwner`).
package final class RunLease: Sendable {
    /// Times in seconds.
    package struct Timing: Sendable {
        /// Time between two signs of life.
        var renewal = 4.0
        /// Time without a sign of life after which the holder counts as gone.
        var stale = 24.0
        /// Time between taking over and checking whether another job did so at the same moment, when no lock prevents that.
        var settling = 1.0
    }

    /// Identifies this lease to the other ranks of the job.
    package let id: String
    private let state: State

    /// Takes the lease `path` of a directory.
    ///
    /// - Parameters:
    ///   - owner: gets the directory and the lease of this job.
    ///   - isAlone: whether a lock keeps other jobs out in the meantime.
    ///   - deadline: how long to wait for a living holder.
    ///   - say: tells the user a line when it takes longer.
    /// - Throws: `cannotWrite`, with the name of the holder or because the file cannot be written.
    init(
        _ path: String, of directory: String, owner: RunOwner, isAlone: Bool, timing: Timing,
        deadline: ContinuousClock.Instant, say: (String) -> Void
    ) throws(Failure) {
        let me = LeaseHolder.ofThisProcess()
        id = me.id
        state = State(me, path, owner)
        TemporaryFile.removeStale(in: directory, prefix: (path as NSString).lastPathComponent + ".")
        let descriptor = try Self.take(
            state, directory, isAlone: isAlone, timing: timing, deadline: deadline, say: say)
        owner.claims(directory, lease: path, id: me.id)
        state.hold(descriptor, renewing: timing.renewal)
    }

    /// Calls `body`, on another thread, when the lease was lost and no thread that wanted to write has been told within three
    /// seconds.
    package func whenLost(_ body: @escaping @Sendable (Failure) -> Void) { state.whenLost.withLock { $0 = body } }

    deinit {
        // A file system that hangs must not keep the job from ending.
        _ = Bounded { [state] in state.release() }.result(within: 3)
    }

    private static func take(
        _ state: State, _ directory: String, isAlone: Bool, timing: Timing, deadline: ContinuousClock.Instant,
        say: (String) -> Void
    ) throws(Failure) -> Int32 {
        var watch = LeaseWatch(limit: timing.stale)
        let begun = ContinuousClock.now
        var hasSaid = false
        while true {
            guard let content = try content(of: state.path) else {
                if let descriptor = try LeaseFile.place(state.text, at: state.path) { return descriptor }
                usleep(20_000)
                continue
            }
            let presence = content.holder?.presence(from: state.me) ?? .unknown
            let isStale = watch.look(content, at: Double(RunOwner.now) * 1e-9)
            if presence == .gone || (presence == .unknown && isStale) {
                // Another job may have been faster.
                let replaced = try LeaseFile.replace(state.text, at: state.path) {
                    (try? Self.content(of: state.path)) == content
                }
                guard let descriptor = replaced else { continue }
                if isAlone { return descriptor }
                usleep(UInt32(timing.settling * 1e6))
                // If two jobs took over at the same moment, the later one has the lease.
                if case .present(let now) = LeaseFile.look(at: state.path), now.holder?.id == state.me.id {
                    return descriptor
                }
                close(descriptor)
                watch = LeaseWatch(limit: timing.stale)
                continue
            }
            let name = content.holder?.description ?? "another job"
            let lives = presence == .there || watch.hasChanged
            let now = ContinuousClock.now
            if lives, now >= deadline { throw RunLock.refusal(directory, name, copy: state.path) }
            if !hasSaid, begun.duration(to: now) > .seconds(1) {
                hasSaid = true
                say(
                    "\(name) holds \(directory); waiting until it releases the directory, or has given no sign of life for "
                        + "\(Int(timing.stale)) s")
            }
            RunLock.leaveIfSignalled()
            usleep(100_000)
        }
    }

    /// What is at the path; nil when that has just changed.
    static func content(of path: String) throws(Failure) -> LeaseFile.Content? {
        switch LeaseFile.look(at: path) {
        case .absent: return nil
        case .present(let content): return content
        case .unreadable(ELOOP):
            errno = ELOOP
            throw writeFailure("open", path)
        case .unreadable:
            // Perhaps another user wrote it; the file's time of change still shows whether it is renewed.
            var status = stat()
            guard unsafe lstat(path, &status) == 0 else { return nil }
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw Failure(
                    .cannotWrite, "\(path.shown) is no regular file, so the run does not write to it; remove it")
            }
            return LeaseFile.Content(
                text: "", file: UInt64(status.st_ino), seconds: Int(status.st_mtim.tv_sec),
                nanoseconds: Int(status.st_mtim.tv_nsec))
        }
    }

    /// The state that the lease shares with its renewing thread.
    private final class State: @unchecked Sendable {
        let me: LeaseHolder
        let path: String
        let owner: RunOwner
        let whenLost = Mutex<(@Sendable (Failure) -> Void)?>(nil)
        private let wake = DispatchSemaphore(value: 0)
        private let lock = NSLock()
        private var descriptor: Int32 = -1
        private var count = 0
        private var isReleased = false

        init(_ me: LeaseHolder, _ path: String, _ owner: RunOwner) {
            self.me = me
            self.path = path
            self.owner = owner
        }

        /// The whole text of the file. Only the last line changes, in place.
        var text: String { me.text + sign }

        private var sign: String {
            func padded(_ number: Int) -> String {
                let digits = String(number)
                return String(repeating: "0", count: max(0, 12 - digits.count)) + digits
            }
            return "renewed \(padded(count)) \(padded(Int(Date().timeIntervalSince1970)))\n"
        }

        func hold(_ descriptor: Int32, renewing seconds: Double) {
            self.descriptor = descriptor
            let thread = Thread { [self] in
                while wake.wait(timeout: .now() + seconds) == .timedOut {
                    guard let failure = renew() else { continue }
                    // If a thread is about to write, `check` tells it.
                    guard wake.wait(timeout: .now() + 3) == .timedOut, !owner.hasTold else { return }
                    whenLost.withLock { $0 }?(failure)
                    return
                }
            }
            thread.name = "lease"
            thread.start()
        }

        /// Gives a sign of life; returns a failure when the lease is lost.
        private func renew() -> Failure? {
            lock.lock()
            defer { lock.unlock() }
            guard !isReleased else { return nil }
            switch owner.standing() {
            case .lost(let failure): return failure
            case .absent:
                // Somebody has removed the file. If another job was faster, the next look shows that.
                if let placed = try? LeaseFile.place(text, at: path) {
                    close(descriptor)
                    descriptor = placed
                }
            case .ours, .unknown:
                count += 1
                // `writeAll` would count as progress, but this thread says nothing about the progress of the training.
                _ = unsafe sign.withCString { unsafe pwrite(descriptor, $0, strlen($0), off_t(me.text.utf8.count)) }
                // fsync makes the change visible to other hosts.
                fsync(descriptor)
            }
            return nil
        }

        func release() {
            wake.signal()
            lock.lock()
            defer { lock.unlock() }
            isReleased = true
            // A job that was refused has no file, and must not remove that of the other job.
            guard descriptor >= 0 else { return }
            if case .ours = owner.standing() { unsafe unlink(path) }
            close(descriptor)
            descriptor = -1
        }
    }
}
