import Glibc

/// Which file it is, and which state of it: what changes when somebody writes to it or puts another in its place.
///
/// Not among it: the time of the last change of the inode, which links, modes and backups change too.
public struct FileIdentity: Sendable, Equatable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int
    private let seconds: Int
    private let nanoseconds: Int

    /// Takes the identity out of what the system says.
    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }

    /// Of an open file; nil when the system does not say.
    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// Of the file of that name, opened so that a server is asked; nil, with `errno`, when it cannot be opened.
    init?(path: String) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        self.init(descriptor: descriptor)
    }

    /// Of the file of that name, which need not be readable; nil, with `errno`, when there is none.
    public init?(status path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// As one line; equal for equal identities.
    public var text: String { "\(device) \(inode) \(size) \(seconds) \(nanoseconds)\n" }

    func isSameFile(as other: FileIdentity) -> Bool { device == other.device && inode == other.inode }

    /// What happened to the content since another look; nil where nothing did.
    func change(since before: FileIdentity) -> String? {
        if size < before.size { return "was cut short from \(before.size) to \(size) bytes" }
        if size > before.size { return "grew from \(before.size) to \(size) bytes" }
        guard (seconds, nanoseconds) == (before.seconds, before.nanoseconds) else { return "was written to" }
        return nil
    }
}
