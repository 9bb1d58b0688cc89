public import Failures
import Glibc

/// A new file that is written from start to end and is on the disk when `finish` returns.
///
/// Size and digest describe what the caller wanted to write, so a later check against them also finds what the disk lost. A
/// file that is released without `finish` is closed and stays as it is, possibly incomplete. For one thread only.
public final class DurableFile {
    /// What was written.
    public struct Summary: Sendable, Equatable {
        /// Bytes.
        public let size: Int
        /// Digest of the bytes.
        public let digest: ContentDigest
    }

    /// The path as given.
    public let path: String
    private var descriptor: Int32
    private var size = 0
    private var digest = ContentDigest.Accumulator()
    private var buffer: [UInt8] = []

    private static let bufferSize = 1 << 16

    /// Creates a file. It overwrites an existing one unless `exclusively` is set. Throws `cannotWrite` when that is impossible
    /// or when the path is a symbolic link: in a directory that others may write to, a link could lead to any file of the user.
    public init(creating path: String, exclusively: Bool = false) throws(Failure) {
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (exclusively ? O_EXCL : O_TRUNC)
        descriptor = unsafe open(path, flags, 0o666)
        self.path = path
        guard descriptor >= 0 else { throw writeFailure("create", path) }
        buffer.reserveCapacity(Self.bufferSize)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Appends bytes.
    public func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        size += bytes.count
        unsafe digest.update(bytes)
        if buffer.count + bytes.count > Self.bufferSize { try flush() }
        if bytes.count > Self.bufferSize {
            try unsafe writeThrough(bytes)
        } else {
            unsafe buffer.append(contentsOf: bytes)
        }
    }

    /// Appends bytes.
    public func write(_ bytes: [UInt8]) throws(Failure) {
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
            try unsafe write(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Appends the UTF-8 of a text.
    public func write(_ text: String) throws(Failure) {
        try write(Array(text.utf8))
    }

    /// Writes what is left, waits until it is on the disk, and closes the file.
    public func finish() throws(Failure) -> Summary {
        try flush()
        guard synchronise(descriptor) else { throw writeFailure("write", path) }
        let result = close(descriptor)
        descriptor = -1
        // An interrupted close has closed the file on Linux; all data was on the disk before.
        guard result == 0 || errno == EINTR else { throw writeFailure("close", path) }
        return Summary(size: size, digest: digest.digest)
    }

    private func flush() throws(Failure) {
        try unsafe buffer.withUnsafeBufferPointer { (bytes) throws(Failure) in
            try unsafe writeThrough(UnsafeRawBufferPointer(bytes))
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private func writeThrough(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        guard unsafe writeAll(bytes, to: descriptor) else { throw writeFailure("write", path) }
    }
}

/// The failure for `errno` after an operation on a path, with the remedy that fits.
package func writeFailure(_ operation: @autoclosure () -> String, _ path: String) -> Failure {
    // `errno` is read first, since making the operation's text may allocate memory and change it.
    let code = errno
    if code == ELOOP {
        return Failure(.cannotWrite, "cannot \(operation()) \(path.shown): \(linkRefusal)")
    }
    let remedy =
        switch code {
        case ENOSPC, EDQUOT: "free space or choose another directory"
        case EFBIG: "raise the limit on file size (ulimit -f) or choose another file system"
        case EACCES, EPERM, EROFS: "choose a directory that you may write to"
        case ENOENT, ENOTDIR: "check that its directory exists"
        case EEXIST, ENOTEMPTY: "remove it or choose another name"
        default: "check the file system"
        }
    return Failure(.cannotWrite, "cannot \(operation()) \(path.shown): \(systemMessage(code)); \(remedy)")
}

/// Why a path is refused when it is a link, and the remedy. The system itself says "too many levels of links".
let linkRefusal =
    "a symbolic link stands there, and none is followed since others may have placed it; remove the link or choose "
    + "another directory"
