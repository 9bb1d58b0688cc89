import Failures
import Foundation
import Tensors

/// Lines of a file, a pipe or a terminal, as they arrive.
final class InputLines {
    /// The name of the input in messages.
    let name: String
    /// Whether lines may arrive later than they are read: the input is not a regular file.
    let isStream: Bool
    /// Bytes from the place where reading began to the end of a regular file; nil for a stream.
    let size: Int?
    /// Lines that were taken.
    private(set) var lines = 0
    /// Bytes of these lines, with their line ends.
    private(set) var consumed = 0
    /// Whether the last of these lines had a line end.
    private(set) var lastIsEnded = true

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Where the unread rest of the buffer starts.
    private var start = 0
    /// Up to where the rest was searched for a line end.
    private var searched = 0
    private var isAtEnd = false
    /// Whether the rest belongs to a line that is too long, whose beginning is gone.
    private var isInsideLongLine = false
    private var content = ContentDigest.Accumulator()
    private var expected: (lines: Int, digest: ContentDigest)?

    /// The largest number of bytes of a line: more than any text that a model can take.
    static let longest = 1 << 20
    private let longest: Int
    private static let chunk = 1 << 16

    /// Opens a file or named pipe; nil and `-` mean standard input. Of lines with more than `longest` bytes only the length is
    /// known. Throws `inputMissing`.
    init(_ path: String?, longest: Int = InputLines.longest) throws(Failure) {
        self.longest = longest
        if let path, path != "-" {
            try Self.refuseFileOfTasks(path)
            name = path
            descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw Failure(.inputMissing, "--input \(path) cannot be read (\(systemMessage(errno))); check the path")
            }
        } else {
            name = "standard input"
            descriptor = STDIN_FILENO
        }
        var status = stat()
        let isFile = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        isStream = !isFile
        size = isFile ? max(0, Int(status.st_size) - max(0, Int(lseek(descriptor, 0, SEEK_CUR)))) : nil
    }

    /// Throws `usage` for a file that the tasks could be trained on, but whose lines would be taken for texts: each would have an
    /// answer, and nothing would show that its commas, quotes and header had been read as text.
    private static func refuseFileOfTasks(_ path: String) throws(Failure) {
        let name = path.lowercased()
        let advice: String
        if name.hasSuffix(".gz") {
            advice = "is packed; give it as in gunzip -c FILE | unolora-dist predict"
        } else if name.hasSuffix(".csv") {
            advice =
                "is CSV by its name; a line of the input is a JSON object, or the texts of the task's fields with tabs between, so "
                + "convert the rows, or rename a file that has such lines"
        } else {
            return
        }
        throw Failure(.usage, "--input \(path) \(advice)")
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// The digest of everything that will be read; for a regular file before the first line is taken.
    func wholeDigest() throws(Failure) -> ContentDigest {
        var digest = ContentDigest.Accumulator()
        var place = max(0, Int(lseek(descriptor, 0, SEEK_CUR)))
        var part = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = unsafe pread(descriptor, &part, part.count, off_t(place))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(errno) }
            guard count > 0 else { return digest.digest }
            unsafe part.withUnsafeBytes { unsafe digest.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            place += count
        }
    }

    /// The digest of the lines that were taken.
    var digest: ContentDigest { content.digest }

    /// From now on the first `lines` lines must have this digest; `next` and `skip` throw `badData` otherwise.
    func expect(_ digest: ContentDigest, after lines: Int) {
        if lines > 0 { expected = (lines, digest) }
    }

    /// Takes lines that were answered before. Throws `badData` when the input has fewer.
    func skip(_ count: Int) throws(Failure) {
        while lines < count {
            let group = try next(lines: min(count - lines, 4096), bytes: 1 << 20)
            guard group.count > 0 else {
                throw Failure(
                    .badData,
                    "\(name) ends after \(lines) lines, but \(count) are answered already, so it is not the same input; give "
                        + "that one")
            }
        }
    }

    /// Takes the next lines: at most `limit`, and no more after the first that makes them larger than `bytes`. Waits for the first
    /// one and adds those that have arrived; empty at the end.
    func next(lines limit: Int, bytes: Int) throws(Failure) -> LineGroup {
        var group = LineGroup(first: lines + 1)
        while group.count < limit, group.bytes.count < bytes {
            if takeLine(into: &group) {
                if let expected, expected.lines == lines, expected.digest != digest {
                    throw Failure(
                        .badData,
                        "the first \(lines) lines of \(name) are not those that are answered already; give the same input"
                    )
                }
            } else if isAtEnd || (group.count > 0 && isStream && !isReadable) {
                break
            } else {
                try readMore()
            }
        }
        return group
    }

    private func takeLine(into group: inout LineGroup) -> Bool {
        let found = buffer[searched...].firstIndex(of: 0x0A)
        searched = found ?? buffer.endIndex
        guard found != nil || (isAtEnd && (start < buffer.endIndex || isInsideLongLine)) else { return false }
        lastIsEnded = found != nil
        var line = buffer[start..<searched]
        consume(searched + (lastIsEnded ? 1 : 0))
        lines += 1
        if isInsideLongLine || line.count > longest {
            group.appendTooLong()
        } else {
            if line.last == 0x0D { line = line.dropLast() }
            if lines == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
            group.append(line)
        }
        isInsideLongLine = false
        return true
    }

    /// Moves the start of the rest to `end`.
    private func consume(_ end: Int) {
        unsafe buffer.withUnsafeBytes { unsafe content.update(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
        consumed += end - start
        start = end
        searched = end
    }

    private var isReadable: Bool {
        var place = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&place, 1, 0) > 0
    }

    private func readMore() throws(Failure) {
        if buffer.count - start > longest {
            // The line will be refused, so its beginning is not kept.
            isInsideLongLine = true
            consume(buffer.endIndex)
        }
        buffer.removeFirst(start)
        (start, searched) = (0, searched - start)
        let kept = buffer.count
        buffer += repeatElement(0, count: Self.chunk)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe read(descriptor, bytes.baseAddress! + kept, Self.chunk)
            }
            if count >= 0 {
                isAtEnd = count == 0
                buffer.removeLast(Self.chunk - count)
                return
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Another process that shares the terminal or pipe has made it non-blocking.
                var place = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                unsafe poll(&place, 1, -1)
            case let code: throw unreadable(code)
            }
        }
    }

    private func unreadable(_ code: Int32) -> Failure {
        Failure(.inputMissing, "\(name) cannot be read (\(systemMessage(code))); give a file or a pipe with --input")
    }
}
