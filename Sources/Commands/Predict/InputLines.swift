import Failures
import Foundation
import Tensors

/// Lines of a file, a pipe or a terminal, as they arrive.
final class InputLines {
    /// A line without its line end; `text` is nil when the line is not UTF-8.
    struct Line {
        var number: Int
        var text: String?
    }

    /// The name of the input in messages.
    let name: String
    /// Whether lines may arrive later than they are read: the input is not a regular file.
    let isStream: Bool

    private let descriptor: Int32
    private var buffer: [UInt8] = []
    /// Where the unread rest of the buffer starts.
    private var start = 0
    private var lines = 0
    private var isAtEnd = false

    /// The largest accepted number of bytes of a line: more than any text that a model can take.
    private static let longest = 1 << 24

    /// Opens a file or named pipe; nil and `-` mean standard input. Throws `inputMissing`.
    init(_ path: String?) throws(Failure) {
        if let path, path != "-" {
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
        isStream = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
    }

    deinit {
        if descriptor != STDIN_FILENO { close(descriptor) }
    }

    /// Returns the next lines, at most `limit`: waits for the first one and adds those that have arrived; empty at the end.
    func next(atMost limit: Int) throws(Failure) -> [Line] {
        var found: [Line] = []
        while found.count < limit {
            if let line = takeLine() {
                found.append(line)
            } else if isAtEnd || (!found.isEmpty && !isReadable) {
                break
            } else {
                try readMore()
            }
        }
        return found
    }

    private func takeLine() -> Line? {
        let rest = buffer[start...]
        let end = rest.firstIndex(of: 0x0A)
        guard end != nil || (isAtEnd && !rest.isEmpty) else { return nil }
        var line = rest[..<(end ?? rest.endIndex)]
        start = end.map { $0 + 1 } ?? rest.endIndex
        if line.last == 0x0D { line = line.dropLast() }
        lines += 1
        if lines == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        return Line(number: lines, text: String(validating: line, as: UTF8.self))
    }

    private var isReadable: Bool {
        var place = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&place, 1, 0) > 0
    }

    private func readMore() throws(Failure) {
        buffer.removeFirst(start)
        start = 0
        guard buffer.count <= Self.longest else {
            throw Failure(
                .badData,
                "\(name), line \(lines + 1) is longer than \(Self.longest >> 20) MiB; give one input a line, as text")
        }
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count >= 0 {
                isAtEnd = count == 0
                buffer += chunk[..<count]
                return
            }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                // Another process that shares the terminal or pipe has made it non-blocking.
                var place = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                unsafe poll(&place, 1, -1)
            case let code:
                throw Failure(
                    .inputMissing, "\(name) cannot be read (\(systemMessage(code))); give a file or a pipe with --input"
                )
            }
        }
    }
}
