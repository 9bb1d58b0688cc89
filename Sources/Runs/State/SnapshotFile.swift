package import Failures
import Foundation
package import Tensors

/// A snapshot in a file, from which a run continues after all its processes were killed at once.
///
/// Two files are written in turn, so that one is complete at any moment. A process that is killed loses nothing that it had
/// written, since the system keeps it. The files are not synchronised: after a power failure the run continues from the last
/// checkpoint. Their space on the disk is reserved in the first step, so that a disk that fills up later does not matter.
package final class SnapshotFile {
    private let files: [FileHandle]
    private let paths: [String]
    private var next = 0
    /// Bytes that are reserved for each file.
    private var room = 0

    /// The header of a version: its magic number and version, padded to 24 bytes, then little-endian words: step, bytes of the
    /// state, weights, moments of one kind, averages, and the two of the digest. Version 1 has as many moments as weights, and no
    /// word for them; versions 1 and 2 have no averages.
    private struct Header {
        let magic: [UInt8]
        /// Words in front of the digest.
        let words: Int
        /// Where the digest is.
        var digest: Int { 24 + 8 * words }
        var size: Int { digest + 16 }

        static let versions = [
            Header(magic: Array("unolora snapshot 1\n".utf8), words: 3),
            Header(magic: Array("unolora snapshot 2\n".utf8), words: 4),
            Header(magic: Array("unolora snapshot 3\n".utf8), words: 5),
        ]
    }

    /// The header of files that are written.
    private static var header: Header { Header.versions[2] }
    /// A state has some kilobytes; a larger one is something else.
    private static let largestState = 1 << 26

    /// The paths of the two files of a run.
    package static func paths(_ run: RunDirectory) -> [String] { (0..<2).map { "\(run.path)/snapshot-\($0).bin" } }

    /// Creates the files; replaces older ones.
    package init(_ run: RunDirectory) throws(Failure) {
        paths = Self.paths(run)
        var files: [FileHandle] = []
        for path in paths {
            // The program must not write through a file or link that an earlier job, or somebody else, left here.
            unsafe unlink(path)
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o666)
            guard descriptor >= 0 else { throw writeFailure("create", path) }
            files.append(FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
        }
        self.files = files
    }

    /// Overwrites the older of the two files. The arenas are the weights, both kinds of moments, and any number of averages of the
    /// moments' size.
    package func write(_ state: RunState, _ arenas: [ReadOnlyArena]) throws(Failure) {
        let text = [UInt8](try state.encoded())
        var digest = ContentDigest.Accumulator()
        let averages = arenas[3...].reduce(0) { $0 + $1.count }
        let words = [state.step, text.count, arenas[0].count, arenas[1].count, averages].map { UInt64($0) }
        unsafe words.withUnsafeBytes { unsafe digest.update($0) }
        unsafe text.withUnsafeBytes { unsafe digest.update($0) }
        for arena in arenas { unsafe digest.update(UnsafeRawBufferPointer(arena.elements)) }
        var header = Self.header.magic + [UInt8](repeating: 0, count: 24 - Self.header.magic.count)
        for word in words + digest.digest.words {
            unsafe withUnsafeBytes(of: word.littleEndian) { unsafe header += $0 }
        }
        let size = header.count + text.count + arenas.reduce(0) { $0 + $1.count * 4 }
        if size > room { try reserve(size + 1 << 16) }
        try write(text, at: header.count)
        var place = header.count + text.count
        for arena in arenas {
            try unsafe write(UnsafeRawBufferPointer(arena.elements), at: place)
            place += arena.count * 4
        }
        try write(header, at: 0)
        next = 1 - next
    }

    private func reserve(_ size: Int) throws(Failure) {
        for (file, path) in zip(files, paths) {
            let code = posix_fallocate(file.fileDescriptor, 0, off_t(size))
            // A file system that cannot reserve space allocates it with each write.
            guard code == 0 || code == EOPNOTSUPP || code == EINVAL else {
                errno = code
                throw writeFailure("reserve \(size) bytes for", path)
            }
        }
        room = size
    }

    private func write(_ bytes: [UInt8], at place: Int) throws(Failure) {
        try unsafe bytes.withUnsafeBufferPointer { (buffer) throws(Failure) in
            try unsafe write(UnsafeRawBufferPointer(buffer), at: place)
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at place: Int) throws(Failure) {
        guard unsafe writeAll(bytes, to: files[next].fileDescriptor, at: place) else {
            throw writeFailure("write", paths[next])
        }
    }

    /// The newest complete snapshot that an earlier job left (nil for none), and the files that exist but are incomplete
    /// because a job was killed while it wrote them.
    package static func left(_ run: RunDirectory) -> (newest: (state: RunState, arenas: [Arena])?, damaged: [String]) {
        let files = paths(run).map { (path: $0, content: read($0)) }
        let newest = files.compactMap(\.content).max { $0.state.step < $1.state.step }
        return (newest, files.filter { $0.content == nil && isWritten($0.path) }.map(\.path))
    }

    /// Whether a file exists and its header, which is written last, has ever been written.
    private static func isWritten(_ path: String) -> Bool {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return false }
        guard let file = try? MappedFile(path: path, followingLinks: false) else { return true }
        return withExtendedLifetime(file) { unsafe file.bytes.prefix(header.magic.count).contains { $0 != 0 } }
    }

    /// Removes the files of a run that does not need them any more.
    package static func remove(_ run: RunDirectory) {
        for path in paths(run) { unsafe unlink(path) }
    }

    private static func read(_ path: String) -> (state: RunState, arenas: [Arena])? {
        guard let file = try? MappedFile(path: path, followingLinks: false) else { return nil }
        return withExtendedLifetime(file) { unsafe parse(file.bytes, path) }
    }

    /// The content of a file as its header describes it.
    @safe private struct Parts {
        let header: Header
        /// The words in front of the digest.
        let words: [UInt64]
        /// The digest in the file.
        let digest: ContentDigest
        let body: UnsafeRawBufferPointer
        /// Bytes of the state, then floats of each arena.
        let (length, counts): (Int, [Int])

        /// Nil for a file that is not a snapshot.
        init?(_ bytes: UnsafeRawBufferPointer) {
            guard let header = Header.versions.first(where: { unsafe bytes.starts(with: $0.magic) }),
                bytes.count >= header.size
            else { return nil }
            let words = (0..<header.words + 2).map {
                unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 24 + $0 * 8, as: UInt64.self))
            }
            let (weights, moments) = (words[2], header.words > 3 ? words[3] : words[2])
            let averages = header.words > 4 ? words[4] : 0
            let most = UInt64(bytes.count / 4)
            guard words[1] <= UInt64(largestState), [weights, moments, averages].allSatisfy({ $0 <= most }),
                averages == 0 || (moments > 0 && averages % moments == 0)
            else { return nil }
            let ofTasks = moments > 0 ? Int(averages / moments) : 0
            length = Int(words[1])
            counts = [Int(weights)] + Array(repeating: Int(moments), count: 2 + ofTasks)
            let size = length + 4 * counts.reduce(0, +)
            guard header.size + size <= bytes.count else { return nil }
            self.header = header
            self.words = Array(words[..<header.words])
            digest = ContentDigest(words: (words[header.words], words[header.words + 1]))
            unsafe body = UnsafeRawBufferPointer(rebasing: bytes[header.size..<header.size + size])
        }

        /// The digest of the words and the body.
        var computedDigest: ContentDigest {
            var digest = ContentDigest.Accumulator()
            unsafe words.withUnsafeBytes { unsafe digest.update($0) }
            unsafe digest.update(body)
            return digest.digest
        }
    }

    /// The bytes of a file with the correct digest filled in; nil when the header cannot be valid. For fuzzing.
    static func withDigest(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let parts = unsafe Parts(bytes) else { return nil }
        var whole = unsafe Array(bytes)
        for (i, word) in parts.computedDigest.words.enumerated() {
            let place = parts.header.digest + 8 * i
            unsafe withUnsafeBytes(of: word.littleEndian) {
                unsafe whole.replaceSubrange(place..<place + 8, with: $0)
            }
        }
        return whole
    }

    static func parse(_ bytes: UnsafeRawBufferPointer, _ path: String) -> (state: RunState, arenas: [Arena])? {
        guard let parts = unsafe Parts(bytes), parts.computedDigest == parts.digest,
            let state = try? unsafe RunState(Data(parts.body[..<parts.length]), path: path),
            UInt64(state.step) == parts.words[0]
        else { return nil }
        var place = parts.length
        let arenas = parts.counts.map { count in
            let arena = Arena(count: count)
            unsafe UnsafeMutableRawBufferPointer(arena.elements).copyBytes(from: parts.body[place..<place + 4 * count])
            place += 4 * count
            return arena
        }
        return (state, arenas)
    }
}
