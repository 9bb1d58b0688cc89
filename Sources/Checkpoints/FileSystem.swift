import Failures
import Foundation
import Glibc
import Tensors

/// The type bits (`S_IFDIR`, `S_IFREG`, `S_IFLNK`, ...) of the file at a path; nil when there is nothing.
func fileType(_ path: String, followingLinks: Bool = false) -> mode_t? {
    var status = stat()
    guard unsafe (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
    return status.st_mode & S_IFMT
}

/// Makes one directory; throws `cannotWrite` when that fails or it exists.
func makeDirectory(_ path: String) throws(Failure) {
    guard unsafe mkdir(path, 0o777) == 0 else { throw writeFailure("create", path) }
}

/// The names in a directory, sorted; none when it does not exist.
func directoryNames(_ path: String) throws(Failure) -> [String] {
    guard fileType(path, followingLinks: true) != nil else { return [] }
    do {
        return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    } catch {
        throw Failure(.inputMissing, "cannot list \(path.shown): \(error.localizedDescription); check its permissions")
    }
}

/// Removes a file, a link itself, or a directory with everything in it; does nothing when there is nothing.
///
/// Another job may still be writing into the directory: one that has lost the run directory and is about to notice it. So a
/// removal that fails is tried again for two seconds.
func removeTree(_ path: String) throws(Failure) {
    let end = ContinuousClock.now + .seconds(2)
    while fileType(path) != nil {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            if fileType(path) == nil { return }
            // Foundation says "no permission" of a directory that is not empty.
            let code = unsafe remove(path) == 0 ? 0 : errno
            if code == 0 { return }
            guard ContinuousClock.now >= end else {
                usleep(50_000)
                continue
            }
            throw Failure(.cannotWrite, "cannot remove \(path.shown): \(systemMessage(code)); remove it yourself")
        }
    }
}

/// Whether two paths lead to the same file or directory.
func isSameFile(_ path: String, _ other: String) -> Bool {
    var here = stat()
    var there = stat()
    return unsafe stat(path, &here) == 0 && stat(other, &there) == 0 && here.st_dev == there.st_dev
        && here.st_ino == there.st_ino
}
