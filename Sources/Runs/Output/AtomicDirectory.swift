package import Failures
import Foundation
import Synchronization
import Tensors

/// A directory that appears as a whole. It is written under a hidden name beside its final one and gets that when it is complete, so
/// that nothing is left of an unfinished one: not after a failure, nor after SIGINT, SIGTERM or SIGHUP, which remove it and end the
/// process with 130, 143 or 129. What a killed process left is removed by the next one that writes to the same place.
package final class AtomicDirectory: Sendable {
    /// What may be at the final path before.
    package enum Existing: Sendable {
        /// Nothing; whatever is there is refused.
        case refused
        /// A directory that the new one replaces, if the check finds nothing wrong with it.
        case replaced(@Sendable () throws(Failure) -> Void)
    }

    private enum State {
        case open
        case finished
        case abandoned
        /// A signal came: the thread that watches removes the directory and ends the process.
        case stopped
    }

    /// What the thread that watches for signals shares with the directory; it does not keep the directory itself.
    private final class Shared: Sendable {
        let state = Mutex(State.open)
    }

    /// Where to write.
    package let path: String
    private let final: String
    private let existing: Existing
    private let shared = Shared()

    /// Makes the hidden directory. Throws `cannotWrite` when something that is not to be replaced is at the final path, or when
    /// nothing can be written there.
    package init(_ path: String, _ existing: Existing = .refused) throws(Failure) {
        (final, self.existing) = (path, existing)
        let (parent, name) = Self.split(path)
        Replacement.recover(path, in: parent, name)
        try Self.check(path, existing)
        guard makeDirectories(parent) else { throw writeFailure("create", parent) }
        self.path = TemporaryFile.path(beside: path)
        guard unsafe mkdir(self.path, 0o777) == 0 else { throw writeFailure("create", self.path) }
        StopSignals.install()
        watch()
    }

    deinit { abandon() }

    /// Throws `cannotWrite` when something is at a path where a directory should appear.
    package static func refuseExisting(_ path: String) throws(Failure) { try check(path, .refused) }

    private static func check(_ path: String, _ existing: Existing) throws(Failure) {
        if case .replaced(let check) = existing { return try check() }
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return }
        throw Failure(.cannotWrite, "\(path.shown) exists; choose another --out or remove it")
    }

    /// Makes a directory inside and returns its path.
    package func make(_ name: String) throws(Failure) -> String {
        let place = "\(path)/\(name)"
        guard unsafe mkdir(place, 0o777) == 0 else { throw writeFailure("create", place) }
        return place
    }

    /// Writes a new file inside; `name` may be in a directory that was made.
    package func write(_ text: String, to name: String) throws(Failure) {
        try DurableFile.write(text.utf8, to: "\(path)/\(name)")
    }

    /// Makes everything durable and gives the directory its final name.
    package func finish() throws(Failure) {
        for name in (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? [] {
            var isDirectory: ObjCBool = false
            let place = "\(path)/\(name)"
            if unsafe FileManager.default.fileExists(atPath: place, isDirectory: &isDirectory), isDirectory.boolValue {
                try DurableFile.synchronize(directory: place)
            }
        }
        try DurableFile.synchronize(directory: path)
        // Something may have come there in the meantime, and a plain rename would replace an empty directory.
        try Self.check(final, existing)
        waitWhereStopped()
        let result: Result<Void, Failure>? = shared.state.withLock { state in
            guard state == .open else { return nil }
            let result = Result { () throws(Failure) in try show() }
            if case .success = result { state = .finished }
            return result
        }
        guard let result else { return waitWhereStopped() }
        try result.get()
        // What was replaced has the hidden name now.
        try? FileManager.default.removeItem(atPath: path)
    }

    private func show() throws(Failure) {
        switch existing {
        case .refused: try DurableFile.rename(path, to: final)
        case .replaced: try Replacement.replace(final, by: path)
        }
    }

    /// Removes what was written, unless it has its final name.
    package func abandon() {
        // What failed may have failed because the directory is being removed.
        waitWhereStopped()
        let wasOpen = shared.state.withLock { state in
            guard state == .open else { return false }
            state = .abandoned
            return true
        }
        if wasOpen { try? FileManager.default.removeItem(atPath: path) }
    }

    /// Does not return where a signal came while the directory was open: the thread that watches ends the process.
    private func waitWhereStopped() {
        while true {
            let isStopped = shared.state.withLock { state in
                state == .stopped || (state == .open && StopSignals.ending != nil)
            }
            guard isStopped else { return }
            usleep(10_000)
        }
    }

    /// Ends the process on a signal. Another thread may still write into the directory while it is removed, so this is repeated.
    private func watch() {
        Thread.detachNewThread { [shared, path] in
            while true {
                let signal = StopSignals.ending
                let state = shared.state.withLock { state in
                    if signal != nil, state == .open { state = .stopped }
                    return state
                }
                guard state == .open || state == .stopped else { break }
                guard let signal, state == .stopped else {
                    usleep(50_000)
                    continue
                }
                for _ in 0..<100 where FileManager.default.fileExists(atPath: path) {
                    try? FileManager.default.removeItem(atPath: path)
                    usleep(10_000)
                }
                _exit(128 + signal)
            }
            // Nothing is left to remove.
            StopSignals.release()
        }
    }

    private static func split(_ path: String) -> (parent: String, name: String) {
        let url = URL(fileURLWithPath: path)
        return (url.deletingLastPathComponent().path, url.lastPathComponent)
    }
}
