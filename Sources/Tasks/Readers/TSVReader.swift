import Failures
import Tensors

/// Reads tab-separated values as GLUE writes them: no quoting, no escapes, one row per line.
///
/// Every row must have as many columns as the header, or, in files without one, as many as the task says. Rows of a ragged file
/// may have more, which are not read.
struct TSVReader: RecordReader {
    private var lines: LineCursor
    private let columns: TableColumns
    /// The number of columns of each row.
    var columnCount: Int { columns.count }

    /// Opens a file; throws `badData` when it is empty or its header lacks a requested column.
    ///
    /// `columnCount`: the number of columns of a file without header; nil takes that of the first row.
    init(
        _ file: TextFile, hasHeader: Bool, columnCount: Int?, isRagged: Bool = false, columns: [Column]
    ) throws(Failure) {
        lines = LineCursor(file)
        let path = file.path
        let first = lines
        var hasReturns = false
        guard
            let names = unsafe lines.next({ line, _ in
                hasReturns = unsafe line.contains(0x0D)
                return unsafe Self.split(line)
            })
        else { throw Failure(.badData, "\(path.shown) is empty; give a file with rows") }
        guard unsafe !hasReturns || lines.position.offset < file.bytes.count else {
            throw TableColumns.carriageReturns(path)
        }
        guard let names else {
            throw Failure(.badData, "\(path.shown):1: the line is not UTF-8; convert the file")
        }
        self.columns = try TableColumns(
            first: names, hasHeader: hasHeader, count: columnCount, isRagged: isRagged, columns: columns, path: path)
        if !hasHeader { lines = first }
    }

    mutating func seek(to position: RowPosition) {
        lines.seek(to: position)
    }

    mutating func next(_ record: inout Record) -> RowOutcome? {
        let columns = columns
        return unsafe lines.next { line, position in
            record.start(at: position)
            guard unsafe isUTF8(line) else {
                return .malformed("the line is not UTF-8; if the file is in another encoding, convert it")
            }
            var column = 0
            var start = 0
            while true {
                let tab = unsafe line[start...].firstIndex(of: 0x09)
                for value in columns.values(of: column) {
                    unsafe record.set(value, UnsafeRawBufferPointer(rebasing: line[start..<(tab ?? line.count)]))
                }
                column += 1
                guard let tab else { break }
                start = tab + 1
            }
            return columns.outcome(column)
        }
    }

    private static func split(_ line: UnsafeRawBufferPointer) -> [String]? {
        // The search is over bytes: comparing a character with a tab takes time quadratic in the number of its combining marks.
        guard unsafe isUTF8(line) else { return nil }
        return unsafe line.split(separator: 0x09, omittingEmptySubsequences: false).map {
            unsafe String(decoding: $0, as: UTF8.self)
        }
    }
}

/// Whether bytes are well-formed UTF-8.
func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe String(validating: bytes, as: UTF8.self) != nil
}
