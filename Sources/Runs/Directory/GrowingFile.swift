import Failures
import Foundation
import Tensors

/// A file that a run appends to, record by record; what was appended is with the system when `append` returns.
/// One thread appends; any may synchronise.
final class GrowingFile: Sendable {
    private let path: String
    private let descriptor: Int32

    /// Opens an existing file to append.
    convenience init(appendingTo path: String) throws(Failure) {
        try self.init(path, 0, "open")
    }

    /// Creates a file, which must not be there yet.
    convenience init(creating path: String) throws(Failure) {
        try self.init(path, O_CREAT | O_EXCL, "create")
    }

    /// Opens a file to append, and creates it when it is not there.
    convenience init(appendingToOrCreating path: String) throws(Failure) {
        try self.init(path, O_CREAT, "open")
    }

    /// Never through a link that stands there, which others may have placed; and a named pipe must not wait for a reader.
    private init(_ path: String, _ flags: Int32, _ operation: String) throws(Failure) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, 0o666)
        guard descriptor >= 0 else { throw writeFailure(operation, path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(
                .cannotWrite, "\(path.shown) is no regular file, so the run does not write to it; remove it")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Appends bytes.
    func append(_ bytes: [UInt8]) throws(Failure) {
        guard bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) else { throw writeFailure("append to", path) }
    }

    /// Waits until what was appended is on the disk.
    func synchronise() throws(Failure) {
        guard Tensors.synchronise(descriptor) else { throw writeFailure("write", path) }
    }
}
