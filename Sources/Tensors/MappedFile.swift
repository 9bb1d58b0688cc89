import CMappings
public import Failures
import Glibc

/// A whole file mapped into memory for reading.
///
/// The mapping is shared and read-only, so all ranks of a node that map the same file use the same physical pages. To replace a
/// mapped file, rename a new one over it. When a mapped file is truncated in place, every process that has mapped it loses the
/// pages; `MappingFaults` reports that in one sentence.
///
/// Safe except for `bytes`.
@safe public final class MappedFile: @unchecked Sendable {
    /// The path as given.
    public let path: String
    /// The content; empty for an empty file. It is valid while the object lives, and `bytes` alone does not keep the object
    /// alive: hold the object in a property or use `withExtendedLifetime`.
    public let bytes: UnsafeRawBufferPointer
    private let isMapped: Bool
    /// Index in the table of mappings; -1 for none.
    private let place: Int32
    /// The file's identity when it was mapped, and the file itself, held open; nil when the file is not watched.
    private let original: (identity: FileIdentity, descriptor: Int32)?

    /// Maps a regular file; `inputMissing` when it does not exist, cannot be read or is not a regular file.
    ///
    /// With `followingLinks: false` it also throws when the path is a symbolic link; use that for files that a run writes
    /// itself. With `isWatched` the file stays open, so that `change` can tell what happened to it.
    public init(path: String, followingLinks: Bool = true, isWatched: Bool = false) throws(Failure) {
        isMapped = true
        // O_NONBLOCK: opening a named pipe must not wait for a writer.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW))
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
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw Failure(.inputMissing, "cannot examine \(path.shown): \(systemMessage(errno)); check the file system")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            let kind = status.st_mode & S_IFMT == S_IFDIR ? "a directory" : "not a regular file"
            throw Failure(.inputMissing, "\(path.shown) is \(kind), but a file is needed here; give the path of a file")
        }
        self.path = path
        let size = Int(status.st_size)
        guard size > 0 else {
            unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            (place, original) = (-1, nil)
            return
        }
        guard let address = unsafe mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), unsafe address != MAP_FAILED
        else {
            throw Failure(
                .inputMissing,
                "cannot map the \(size) bytes of \(path.shown): \(systemMessage(errno)); "
                    + "check the limit on address space (ulimit -v) and the file system")
        }
        unsafe bytes = UnsafeRawBufferPointer(start: address, count: size)
        place = unsafe cmappings_note(address, size, path.shown)
        isKept = isWatched
        original = isWatched ? (FileIdentity(status), descriptor) : nil
    }

    /// A copy of content that did not come from a file, for code that reads mapped files; `path` is used in messages.
    package init(copying content: UnsafeRawBufferPointer, path: String) {
        isMapped = false
        (place, original) = (-1, nil)
        self.path = path
        guard unsafe !content.isEmpty else {
            unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        // Readers of a mapping rely on this alignment.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 64)
        unsafe copy.copyMemory(from: content)
        unsafe bytes = UnsafeRawBufferPointer(copy)
    }

    /// What happened to the file since it was mapped, worded to follow the path in a sentence; nil when nothing happened. Only
    /// for a watched file.
    ///
    /// It compares the file's size and time of modification, which any write changes; owner, mode and links may change. Another
    /// file at the same path does not change the mapping, so it counts only with `includingReplacement`.
    public func change(includingReplacement: Bool) -> String? {
        guard let original else { return nil }
        // Opening the file also makes a network file system ask its server for news.
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

    /// Takes the pages from this process; when they are read again they come back from the page cache or the disk.
    func releasePages() {
        guard isMapped, let address = unsafe bytes.baseAddress else { return }
        // Neither madvise nor munmap takes a pointer to constant memory; neither writes.
        unsafe madvise(UnsafeMutableRawPointer(mutating: address), bytes.count, MADV_DONTNEED)
    }

    deinit {
        cmappings_forget(place)
        if let original { close(original.descriptor) }
        if !isMapped {
            unsafe bytes.deallocate()
        } else if let address = unsafe bytes.baseAddress {
            unsafe munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
        }
    }
}
