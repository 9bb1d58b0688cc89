import Glibc

/// Identifies a file and its state. It changes when somebody writes to the file or puts another file in its place.
///
/// It does not include the time of the inode's last change, because links, modes and backups change that too.
public struct FileIdentity: Sendable, Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// Takes the identity from the system's `stat`.
    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }

    /// The identity of an open file; nil when the system does not give it.
    init?(descriptor: Int32) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The identity of the file at a path. The file is opened so that a network file system asks its server. Nil, with `errno`,
    /// when the file cannot be opened.
    init?(path: String) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        self.init(descriptor: descriptor)
    }

    /// The identity of the file at a path, which need not be readable; nil, with `errno`, when there is no such file.
    public init?(status path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// The identity as one line; equal for equal identities.
    public var text: String { "\(device) \(inode) \(size) \(seconds) \(nanoseconds)\n" }

    func isSameFile(as other: FileIdentity) -> Bool { device == other.device && inode == other.inode }

    /// What happened to the content since `before`; nil when nothing happened.
    func change(since before: FileIdentity) -> String? {
        if size < before.size { return "was cut short from \(before.size) to \(size) bytes" }
        if size > before.size { return "grew from \(before.size) to \(size) bytes" }
        guard (seconds, nanoseconds) == (before.seconds, before.nanoseconds) else { return "was written to" }
        return nil
    }
}
