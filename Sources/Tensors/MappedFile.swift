import CMappings
import Failures
import Glibc

/// A whole file mapped into memory for reading.
///
/// The mapping is shared and read-only, so all ranks of a node that map one file use the same physical pages.
/// Replace a mapped file by renaming a new one over it; a file that is cut short in place takes its pages away from
/// every process that has it mapped, which `MappingFaults` turns into a sentence.
public final class MappedFile: @unchecked Sendable {
    /// The path as given.
    public let path: String
    /// The content; empty for an empty file. Valid while the object lives, and the bytes alone do not keep it alive:
    /// hold it in a property or use `withExtendedLifetime`.
    public let bytes: UnsafeRawBufferPointer
    private let isMapped: Bool
    /// Place in the table of mappings; -1 for none.
    private let place: Int32
    /// What the file was when it was mapped, and the file itself, held open; nil where nobody asks for changes.
    private let original: (identity: FileIdentity, descriptor: Int32)?

    /// Maps a regular file; `inputMissing` when it does not exist, cannot be read or is not a regular file.
    ///
    /// Without `followingLinks` also when a symbolic link stands there: for files that a run writes itself. With
    /// `isWatched` the file stays open, so that `change` can tell what happens to it.
    public init(path: String, followingLinks: Bool = true, isWatched: Bool = false) throws(Failure) {
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
        var isKept = false
        defer { if !isKept { close(descriptor) } }
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
            (place, original) = (-1, nil)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            throw Failure(
                .inputMissing,
                "cannot map the \(size) bytes of \(path.shown): \(systemMessage(errno)); "
                    + "check the limit on address space (ulimit -v) and the file system")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
        place = cmappings_note(address, size, path.shown)
        isKept = isWatched
        original = isWatched ? (FileIdentity(status), descriptor) : nil
    }

    /// A copy of content that did not come from a file, for what reads files; `path` is for messages.
    package init(copying content: UnsafeRawBufferPointer, path: String) {
        isMapped = false
        (place, original) = (-1, nil)
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

    /// What happened to the file since it was mapped, to follow its path in a sentence; nil where nothing did. Only of a file
    /// that is watched.
    ///
    /// Its size and its time of modification are looked at, which any write changes; its owner, mode and links may change.
    /// Another file in its place changes nothing of the mapping, and counts only with `includingReplacement`.
    public func change(includingReplacement: Bool) -> String? {
        guard let original else { return nil }
        // Opening it also asks a server for news that the system may still lack.
        var now = FileIdentity(path: path)
        let problem = now == nil ? errno : 0
        if let own = FileIdentity(descriptor: original.descriptor), let change = own.change(since: original.identity) {
            return change
        }
        guard includingReplacement else { return nil }
        if now == nil, problem != ENOENT, problem != ENOTDIR { now = FileIdentity(status: path) }
        guard let now else {
            return problem == ENOENT || problem == ENOTDIR
                ? "was removed" : "cannot be examined any more (\(systemMessage(problem)))"
        }
        return now.isSameFile(as: original.identity)
            ? now.change(since: original.identity) : "was replaced by another file"
    }

    /// Takes the pages from this process; they come back from the page cache, or the disk, when they are read again.
    func releasePages() {
        guard isMapped, let address = bytes.baseAddress else { return }
        madvise(UnsafeMutableRawPointer(mutating: address), bytes.count, MADV_DONTNEED)
    }

    deinit {
        cmappings_forget(place)
        if let original { close(original.descriptor) }
        if !isMapped {
            bytes.deallocate()
        } else if let address = bytes.baseAddress {
            munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
        }
    }
}
