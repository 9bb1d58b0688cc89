package import Failures
import Glibc

/// Runs `body` while no other process or thread that calls this function changes names in the directory.
///
/// It takes an advisory lock on the directory itself, which ends with the process. Some network file systems lock only files
/// that are open for writing; there the lock is on a file in the directory, `.names.lock`, which stays. A file system without
/// such locks, or a process that holds the lock for 10 seconds (perhaps it is stopped), must not keep a dying job from saving
/// its last checkpoint. In these cases `body` runs without the lock; a caller that replaces files by single renames still
/// leaves each file whole.
package func exclusively<R>(in directory: String, _ body: () throws(Failure) -> R) throws(Failure) -> R {
    let descriptor = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return try body() }
    // Closing also releases the lock.
    defer { close(descriptor) }
    guard !waitForLock(descriptor), errno == EBADF else { return try body() }
    let file = unsafe open("\(directory)/.names.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
    defer { if file >= 0 { close(file) } }
    if file >= 0 { _ = waitForLock(file) }
    return try body()
}

/// Takes the lock of an open file within 10 seconds; returns false with `errno` otherwise.
func waitForLock(_ descriptor: Int32) -> Bool {
    for _ in 0..<1_000 {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK || errno == EINTR else { return false }
        usleep(10_000)
    }
    return false
}
