import Failures
import Glibc

/// A whole file mapped into memory for reading.
///
/// The mapping is shared and read-only, so all ranks of a node that map one file use the same physical pages.
/// Replace a mapped file by renaming a new one over it; a file that is cut short in place takes its pages away from
/// every process that has it mapped.
public final class MappedFile: @unchecked Sendable {
    /// The path as given.
    public let path: String
    /// The content; empty for an empty file. Valid while the object lives, and the bytes alone do not keep it alive:
    /// hold it in a property or use `withExtendedLifetime`.
    public let bytes: UnsafeRawBufferPointer
    private let isMapped: Bool

    /// Maps a regular file; `inputMissing` when it does not exist, cannot be read or is not a regular file.
    ///
    /// Without `followingLinks` also when a symbolic link stands there: for files that a run writes itself.
    public init(path: String, followingLinks: Bool = true) throws(Failure) {
        isMapped = true
        // O_NONBLOCK: opening a named pipe must not wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else {
            let code = errno
            if code == ELOOP, !followingLinks {
                throw Failure(.inputMissing, "cannot open \(path.shown): \(linkRefusal)")
            }
            let remedy = code == ENOENT ? "check the path" : "check the path and its permissions"
            throw Failure(.inputMissing, "cannot open \(path.shown): \(systemMessage(code)); \(remedy)")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw Failure(.inputMissing, "cannot examine \(path.shown): \(systemMessage(errno)); check the file system")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let kind = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "not a regular file"
            throw Failure(.inputMissing, "\(path.shown) is \(kind), but a file is needed here; give the path of a file")
        }
        self.path = path
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            throw Failure(
                .inputMissing,
                "cannot map the \(size) bytes of \(path.shown): \(systemMessage(errno)); "
                    + "check the limit on address space (ulimit -v) and the file system")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    /// A copy of content that did not come from a file, for what reads files; `path` is for messages.
    package init(copying content: UnsafeRawBufferPointer, path: String) {
        isMapped = false
        self.path = path
        guard !content.isEmpty else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        // As aligned as what the readers of a mapping rely on.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 64)
        copy.copyMemory(from: content)
        bytes = UnsafeRawBufferPointer(copy)
    }

    /// Takes the pages from this process; they come back from the page cache, or the disk, when they are read again.
    func releasePages() {
        guard isMapped, let address = bytes.baseAddress else { return }
        madvise(UnsafeMutableRawPointer(mutating: address), bytes.count, MADV_DONTNEED)
    }

    deinit {
        if !isMapped {
            bytes.deallocate()
        } else if let address = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
        }
    }
}
