import Failures
import Glibc
import Heartbeat

/// Writes all bytes to an open file, at its end or at `offset`; false with `errno` where the system refuses.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int? = nil) -> Bool {
    var done = 0
    while done < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
        let written =
            if let offset {
                pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            } else {
                write(descriptor, rest.baseAddress, rest.count)
            }
        if written < 0 {
            if errno == EINTR { continue }
            return false
        }
        done += written
        Heartbeat.beat()
    }
    return true
}

/// Returns when what was written to an open file is on the disk; false with `errno` where the system refuses.
package func synchronise(_ descriptor: Int32) -> Bool {
    while fsync(descriptor) != 0 {
        // Network file systems may be interrupted.
        guard errno == EINTR else { return false }
    }
    return true
}

/// Makes a directory and those above it that are not there; false with `errno` where that cannot be, as where a file has
/// the name.
package func makeDirectories(_ path: String) -> Bool {
    if mkdir(path, 0o777) == 0 { return true }
    let code = errno
    if code == ENOENT {
        let parent = DurableFile.split(path).directory
        guard parent != path, makeDirectories(parent) else { return false }
        if mkdir(path, 0o777) == 0 || errno == EEXIST { return true }
        return false
    }
    // Also where the system says EROFS or EACCES of one that is there.
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return true }
    errno = code == EEXIST ? ENOTDIR : code
    return false
}

/// Refuses a place of the program's own choice that is another user's symbolic link: it could lead what is written and
/// removed anywhere. One's own or root's, to a larger disk perhaps, is followed, as is what the user names himself.
package func refuseForeignLink(_ path: String) throws(Failure) {
    guard let user = foreignLinkOwner(path) else { return }
    throw Failure(
        .cannotWrite,
        "\(path.shown) is a symbolic link that another user (\(user)) made, so the run does not follow it; remove it or "
            + "choose another --out")
}

/// The user who made the symbolic link that stands there; nil where none does, or one's own or root's.
package func foreignLinkOwner(_ path: String) -> uid_t? {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return nil }
    return [geteuid(), 0].contains(status.st_uid) ? nil : status.st_uid
}
