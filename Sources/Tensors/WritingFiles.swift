package import Failures
package import Glibc
import Heartbeat

/// Writes all bytes to an open file, at its end or at `offset`; returns false with `errno` when the system refuses.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int? = nil) -> Bool {
    var done = 0
    while done < bytes.count {
        let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
        let written =
            if let offset {
                unsafe pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + done))
            } else {
                unsafe write(descriptor, rest.baseAddress, rest.count)
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

/// Waits until everything written to an open file is on the disk; returns false with `errno` when the system refuses.
package func synchronise(_ descriptor: Int32) -> Bool {
    while fsync(descriptor) != 0 {
        // Network file systems may interrupt fsync.
        guard errno == EINTR else { return false }
    }
    return true
}

/// Makes a directory and all missing directories above it; returns false with `errno` when that fails, for example because a
/// file has that name.
package func makeDirectories(_ path: String) -> Bool {
    if unsafe mkdir(path, 0o777) == 0 { return true }
    let code = errno
    if code == ENOENT {
        let parent = DurableFile.split(path).directory
        guard parent != path, makeDirectories(parent) else { return false }
        if unsafe mkdir(path, 0o777) == 0 || errno == EEXIST { return true }
        return false
    }
    // A directory that exists counts as success even when the system says EROFS or EACCES.
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return true }
    errno = code == EEXIST ? ENOTDIR : code
    return false
}

/// Refuses a path that the program chose when it is another user's symbolic link, which could lead writes and removals
/// anywhere. A link that the user or root made (perhaps to a larger disk) is followed, and so is any link that the user names.
package func refuseForeignLink(_ path: String) throws(Failure) {
    guard let user = foreignLinkOwner(path) else { return }
    throw Failure(
        .cannotWrite,
        "\(path.shown) is a symbolic link that another user (\(user)) made, so the run does not follow it; remove it or "
            + "choose another --out")
}

/// The user who made the symbolic link at `path`; nil when there is no link, or when this user or root made it.
package func foreignLinkOwner(_ path: String) -> uid_t? {
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return nil }
    return [geteuid(), 0].contains(status.st_uid) ? nil : status.st_uid
}
