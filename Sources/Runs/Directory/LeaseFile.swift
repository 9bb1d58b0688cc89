import Failures
import Foundation
import Tensors

/// The file of a lease. It comes to stand there by link(2), by O_EXCL where there are no links, or by rename(2), each of which
/// network file systems do as a whole without any lock.
enum LeaseFile {
    /// What stands there.
    enum Look {
        case absent
        case present(Content)
        /// It cannot be read now, for the reason that `errno` gave.
        case unreadable(Int32)
    }

    /// What it says, with what the file system knows of it.
    struct Content: Equatable {
        var text: String
        var file: UInt64
        var seconds: Int
        var nanoseconds: Int

        var holder: LeaseHolder? { LeaseHolder(text) }
    }

    /// Lines are short; more is something else.
    private static let longest = 4_096

    /// Reads it. A link is none of ours and not followed; a pipe keeps nobody waiting.
    static func look(at path: String) -> Look {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return errno == ENOENT ? .absent : .unreadable(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .unreadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { return .unreadable(EINVAL) }
        var bytes = [UInt8](repeating: 0, count: longest)
        let count = pread(descriptor, &bytes, longest, 0)
        // Network file systems say ESTALE of one that was replaced meanwhile.
        guard count >= 0 else { return .unreadable(errno) }
        return .present(
            Content(
                text: String(decoding: bytes[..<count], as: UTF8.self), file: UInt64(status.st_ino),
                seconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec)))
    }

    /// Puts a new file there where none stands; returns it open, or nil where another one stands.
    static func place(_ text: String, at path: String) throws(Failure) -> Int32? {
        let temporary = TemporaryFile.path(beside: path)
        let descriptor = try create(temporary, text)
        let isPlaced = link(temporary, path) == 0
        let code = errno
        var status = stat()
        // The answer of a network file system may have been lost, and the second request refused.
        let isThere = isPlaced || (fstat(descriptor, &status) == 0 && status.st_nlink == 2)
        unlink(temporary)
        if isThere { return descriptor }
        close(descriptor)
        switch code {
        case EEXIST: return nil
        case EPERM, EOPNOTSUPP, ENOSYS, EMLINK, EINVAL: return try placeWithoutLinks(text, at: path)
        default:
            errno = code
            throw writeFailure("create", path)
        }
    }

    private static func placeWithoutLinks(_ text: String, at path: String) throws(Failure) -> Int32? {
        do throws(Failure) {
            return try create(path, text, replacing: false)
        } catch {
            var status = stat()
            guard lstat(path, &status) == 0 else { throw error }
            return nil
        }
    }

    /// Puts a new file there in place of what stands there, and returns it open. `isStill` is asked in the last moment;
    /// nil where it says no.
    static func replace(_ text: String, at path: String, if isStill: () -> Bool = { true }) throws(Failure) -> Int32? {
        let temporary = TemporaryFile.path(beside: path)
        let descriptor = try create(temporary, text)
        // Writing the new one may have taken long.
        guard isStill() else {
            unlink(temporary)
            close(descriptor)
            return nil
        }
        guard rename(temporary, path) == 0 else {
            let failure = writeFailure("rename \(temporary.shown) to", path)
            unlink(temporary)
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func create(_ path: String, _ text: String, replacing: Bool = true) throws(Failure) -> Int32 {
        if replacing { unlink(path) }
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw writeFailure("create", path) }
        guard Array(text.utf8).withUnsafeBytes({ writeAll($0, to: descriptor, at: 0) }), synchronise(descriptor) else {
            let failure = writeFailure("write", path)
            unlink(path)
            close(descriptor)
            throw failure
        }
        return descriptor
    }
}
