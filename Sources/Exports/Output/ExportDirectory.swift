package import Failures
package import Foundation
import Runs
import Synchronization
package import Tensors

/// The directory of an export. It is written under a hidden name beside its final one and renamed when it is complete, so that
/// nothing is left of an unfinished export: not after a failure, nor after SIGINT, SIGTERM or SIGHUP, which remove it and end the
/// process with 130, 143 or 129. What a killed process left is removed by the next export to the same place.
package final class ExportDirectory: Sendable {
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
    private let shared = Shared()

    /// Makes the hidden directory. Throws `cannotWrite` when something is at the final path, or when nothing can be written there.
    package init(_ path: String) throws(Failure) {
        final = path
        try Self.refuseExisting(path)
        let (parent, name) = Self.split(path)
        guard makeDirectories(parent) else { throw writeFailure("create", parent) }
        TemporaryFile.removeStaleDirectories(in: parent, of: name)
        self.path = TemporaryFile.path(beside: path)
        guard unsafe mkdir(self.path, 0o777) == 0 else { throw writeFailure("create", self.path) }
        StopSignals.install()
        watch()
    }

    deinit { abandon() }

    /// Throws `cannotWrite` when something is at a path where an export should be written.
    package static func refuseExisting(_ path: String) throws(Failure) {
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
        // A rename would replace an empty directory that somebody made in the meantime.
        try Self.refuseExisting(final)
        waitWhereStopped()
        let result: Result<Void, Failure>? = shared.state.withLock { state in
            guard state == .open else { return nil }
            let result = Result { () throws(Failure) in try DurableFile.rename(path, to: final) }
            if case .success = result { state = .finished }
            return result
        }
        guard let result else { return waitWhereStopped() }
        try result.get()
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

    /// Ends the process on a signal. The export may still write into the directory while it is removed, so this is repeated.
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
            // Nothing of the export is left to remove.
            StopSignals.release()
        }
    }

    private static func split(_ path: String) -> (parent: String, name: String) {
        let url = URL(fileURLWithPath: path)
        return (url.deletingLastPathComponent().path, url.lastPathComponent)
    }
}

extension DurableFile {
    /// Writes a new file of an export.
    package static func write(_ data: Data, to path: String) throws(Failure) {
        let file = try DurableFile(creating: path, exclusively: true)
        try file.write([UInt8](data))
        _ = try file.finish()
    }
}
