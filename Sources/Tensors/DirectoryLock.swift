import Failures
import Glibc

/// Runs `body` while no other process or thread that asks so changes names in a directory.
///
/// An advisory lock on the directory itself; it ends with its process. A file system without such locks, or one who
/// holds it for 10 seconds (stopped, perhaps), must not keep a dying job from its last checkpoint: then `body` runs
/// without it, and whoever replaces files by single renames still leaves each of them whole.
package func exclusively<R>(in directory: String, _ body: () throws(Failure) -> R) throws(Failure) -> R {
    let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return try body() }
    // Closing also gives the lock back.
    defer { close(descriptor) }
    for _ in 0..<1_000 {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { break }
        guard errno == EWOULDBLOCK || errno == EINTR else { break }
        usleep(10_000)
    }
    return try body()
}
