import Failures
import Foundation
import Tensors

/// A file to which a run appends records. When `append` returns, the system has the record. One thread appends; any thread may
/// synchronise.
final class GrowingFile: Sendable {
    private let path: String
    private let descriptor: Int32

    /// Opens an existing file for appending.
    convenience init(appendingTo path: String) throws(Failure) {
        try self.init(path, 0, "open")
    }

    /// Creates a file, which must not exist yet.
    convenience init(creating path: String) throws(Failure) {
        try self.init(path, O_CREAT | O_EXCL, "create")
    }

    /// Opens a file for appending, and creates it if it does not exist.
    convenience init(appendingToOrCreating path: String) throws(Failure) {
        try self.init(path, O_CREAT, "open")
    }

    /// It never opens through a link, which others may have placed, and does not wait for the reader of a named pipe.
    private init(_ path: String, _ flags: Int32, _ operation: String) throws(Failure) {
        self.path = path
        descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0o666)
        guard descriptor >= 0 else { throw writeFailure(operation, path) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(
                .cannotWrite, "\(path.shown) is no regular file, so the run does not write to it; remove it")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Appends bytes.
    func append(_ bytes: [UInt8]) throws(Failure) {
        guard unsafe bytes.withUnsafeBytes({ unsafe writeAll($0, to: descriptor) }) else {
            throw writeFailure("append to", path)
        }
    }

    /// Waits until all records are on the disk.
    func synchronise() throws(Failure) {
        guard Tensors.synchronise(descriptor) else { throw writeFailure("write", path) }
    }
}
