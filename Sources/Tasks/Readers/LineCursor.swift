import Glibc
import Tensors

/// Walks over the lines of a file. Lines end with LF or CRLF; the last line may have no line end.
struct LineCursor: Sendable {
    private let file: TextFile
    private(set) var position = RowPosition(offset: 0, line: 1)

    /// Starts at the first line, after a byte order mark if there is one.
    init(_ file: TextFile) {
        self.file = file
        if unsafe file.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position.offset = 3 }
    }

    mutating func seek(to position: RowPosition) {
        self.position = position
    }

    /// Calls `body` with the next line, without its line end, and with its position; nil at the end of the file.
    ///
    /// The line points into the file's memory and is valid only inside `body`.
    mutating func next<Result>(_ body: (UnsafeRawBufferPointer, RowPosition) -> Result) -> Result? {
        withExtendedLifetime(file) {
            let start = position
            let bytes = unsafe file.bytes
            guard start.offset < bytes.count, let base = bytes.baseAddress else { return nil }
            let rest = bytes.count - start.offset
            let length = unsafe memchr(base + start.offset, 0x0A, rest).map {
                unsafe UnsafeRawPointer($0) - (base + start.offset)
            }
            position = RowPosition(offset: start.offset + (length.map { $0 + 1 } ?? rest), line: start.line + 1)
            var line = unsafe UnsafeRawBufferPointer(start: base + start.offset, count: length ?? rest)
            if unsafe line.last == 0x0D { unsafe line = unsafe UnsafeRawBufferPointer(rebasing: line.dropLast()) }
            return unsafe body(line, start)
        }
    }
}
