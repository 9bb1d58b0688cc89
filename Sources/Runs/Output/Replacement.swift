import Failures
import Foundation
import Tensors

/// One directory in place of another.
enum Replacement {
    /// What stands behind the name of a directory that was renamed to make room.
    private static let ending = ".previous"

    /// Puts a new directory at `path`, where an older one may be; that one has the new one's name afterwards. Makes it durable.
    ///
    /// On most file systems the two exchange their names in one step. NFS and Lustre cannot do that. There the older one is renamed
    /// first, and renamed back if the second step fails; if the process is killed in between, `recover` does it.
    static func replace(_ path: String, by new: String) throws(Failure) {
        if !exchange(new, path) { try makeRoom(at: path, for: new) }
        try DurableFile.synchronize(directory: URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }

    /// The same in several steps.
    static func makeRoom(at path: String, for new: String) throws(Failure) {
        // This also takes the place of an empty directory.
        if unsafe rename(new, path) == 0 { return }
        guard errno == ENOTEMPTY || errno == EEXIST else { throw writeFailure("rename \(new.shown) to", path) }
        let previous = new + ending
        guard unsafe rename(path, previous) == 0 else { throw writeFailure("rename", path) }
        guard unsafe rename(new, path) == 0 else {
            let failure = writeFailure("rename \(new.shown) to", path)
            _ = unsafe rename(previous, path)
            throw failure
        }
        _ = unsafe rename(previous, new)
    }

    /// Brings back a directory that a killed process had renamed to make room, if nothing is in its place, and removes what else such
    /// processes left.
    static func recover(_ path: String, in directory: String, _ name: String) {
        for previous in TemporaryFile.staleDirectories(in: directory, of: name, ending: ending) {
            if FileManager.default.fileExists(atPath: path) {
                try? FileManager.default.removeItem(atPath: previous)
            } else {
                _ = unsafe rename(previous, path)
            }
        }
        for stale in TemporaryFile.staleDirectories(in: directory, of: name) {
            try? FileManager.default.removeItem(atPath: stale)
        }
    }

    /// Lets two directories exchange their names; false if one is absent or the system cannot.
    private static func exchange(_ first: String, _ second: String) -> Bool {
        // The headers of the C library declare this function only for _GNU_SOURCE, which Swift's module of it does not define.
        typealias Function = @convention(c) (Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32) -> Int32
        guard let symbol = unsafe dlsym(nil, "renameat2") else { return false }
        let exchangesNames: UInt32 = 2
        return unsafe unsafeBitCast(symbol, to: Function.self)(AT_FDCWD, first, AT_FDCWD, second, exchangesNames) == 0
    }
}
