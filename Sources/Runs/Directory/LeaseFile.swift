import Failures
import Foundation
import Tensors

/// The file of a lease. It is created by link(2), or by O_EXCL where there are no links, or replaced by rename(2). Network file
/// systems do each of these atomically, without any lock.
enum LeaseFile {
    /// The result of looking at a lease's path.
    enum Look {
        case absent
        case present(Content)
        /// The file cannot be read now; the value is the `errno`.
        case unreadable(Int32)
    }

    /// The file's content and what the file system knows about it.
    struct Content: Equatable {
        var text: String
        var file: UInt64
        var seconds: Int
        var nanoseconds: Int

        var holder: LeaseHolder? { LeaseHolder(text) }
    }

    /// Lines are short; a longer file is something else.
    private static let longest = 4_096

    /// Reads the file. It does not follow a link, which cannot be ours, and never waits for a pipe.
    static func look(at path: String) -> Look {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return errno == ENOENT ? .absent : .unreadable(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return .unreadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { return .unreadable(EINVAL) }
        var bytes = [UInt8](repeating: 0, count: longest)
        let count = unsafe pread(descriptor, &bytes, longest, 0)
        // Network file systems report ESTALE for a file that was replaced in the meantime.
        guard count >= 0 else { return .unreadable(errno) }
        return .present(
            Content(
                text: String(decoding: bytes[..<count], as: UTF8.self), file: UInt64(status.st_ino),
                seconds: Int(status.st_mtim.tv_sec), nanoseconds: Int(status.st_mtim.tv_nsec)))
    }

    /// Creates the file if there is none and returns it open; returns nil if there is one already.
    static func place(_ text: String, at path: String) throws(Failure) -> Int32? {
        let temporary = TemporaryFile.path(beside: path)
        let descriptor = try create(temporary, text)
        let isPlaced = unsafe link(temporary, path) == 0
        let code = errno
        var status = stat()
        // The answer of a network file system may have been lost; then the repeated request fails although the link exists.
        let isThere = unsafe isPlaced || (fstat(descriptor, &status) == 0 && status.st_nlink == 2)
        unsafe unlink(temporary)
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
            guard unsafe lstat(path, &status) == 0 else { throw error }
            return nil
        }
    }

    /// Replaces the file by a new one, which it returns open. `isStill` is called at the last moment; if it returns false,
    /// nothing is replaced and the result is nil.
    static func replace(_ text: String, at path: String, if isStill: () -> Bool = { true }) throws(Failure) -> Int32? {
        let temporary = TemporaryFile.path(beside: path)
        let descriptor = try create(temporary, text)
        // Writing the new file may have taken long.
        guard isStill() else {
            unsafe unlink(temporary)
            close(descriptor)
            return nil
        }
        guard unsafe rename(temporary, path) == 0 else {
            let failure = writeFailure("rename \(temporary.shown) to", path)
            unsafe unlink(temporary)
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    private static func create(_ path: String, _ text: String, replacing: Bool = true) throws(Failure) -> Int32 {
        if replacing { unsafe unlink(path) }
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw writeFailure("create", path) }
        guard unsafe Array(text.utf8).withUnsafeBytes({ unsafe writeAll($0, to: descriptor, at: 0) }),
            synchronise(descriptor)
        else {
            let failure = writeFailure("write", path)
            unsafe unlink(path)
            close(descriptor)
            throw failure
        }
        return descriptor
    }
}
