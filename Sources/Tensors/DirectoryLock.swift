import Failures
import Glibc

/// Runs `body` while no other process or thread that asks so changes names in a directory.
///
/// An advisory lock on the directory itself; it ends with its process. On network file systems that lock only what may be
/// written it is on a file in the directory, `.names.lock`, which stays. A file system without such locks, or one who
/// holds it for 10 seconds (stopped, perhaps), must not keep a dying job from its last checkpoint: then `body` runs
/// without it, and whoever replaces files by single renames still leaves each of them whole.
package func exclusively<R>(in directory: String, _ body: () throws(Failure) -> R) throws(Failure) -> R {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return try body() }
    // Closing also gives the lock back.
    defer { close(descriptor) }
    guard !waitForLock(descriptor), errno == EBADF else { return try body() }
    let file = open("\(directory)/.names.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
    defer { if file >= 0 { close(file) } }
    if file >= 0 { _ = waitForLock(file) }
    return try body()
}

/// Takes the lock of an open file, within 10 seconds; false with `errno` otherwise.
func waitForLock(_ descriptor: Int32) -> Bool {
    for _ in 0..<1_000 {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK || errno == EINTR else { return false }
        usleep(10_000)
    }
    return false
}
