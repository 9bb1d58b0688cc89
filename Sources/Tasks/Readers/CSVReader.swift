import Failures
import Tensors

/// Reads comma-separated values as RFC 4180 has them: a column in quotes may hold commas, line ends, and quotes that are doubled.
///
/// Every row must have as many columns as the header, or, in files without one, as many as the task says. What RFC 4180 does not
/// have is refused, since other programs read it in different ways: a quote inside a column without quotes, and text after the
/// quote that closes a column.
struct CSVReader: RecordReader {
    private let file: TextFile
    private var position: RowPosition
    private let columns: TableColumns
    /// The number of columns of each row.
    var columnCount: Int { columns.count }
    private var scanner = CSVScanner()

    /// Opens a file; throws `badData` when it is empty, its first row cannot be read or its header lacks a requested column.
    ///
    /// `columnCount`: the number of columns of a file without header; nil takes that of the first row.
    init(_ file: TextFile, hasHeader: Bool, columnCount: Int?, columns: [Column]) throws(Failure) {
        self.file = file
        let first = LineCursor(file).position
        let bytes = unsafe file.bytes
        guard first.offset < bytes.count else {
            throw Failure(.badData, "\(file.path.shown) is empty; give a file with rows")
        }
        var scanner = CSVScanner()
        let end = unsafe scanner.scan(bytes, from: first)
        if let problem = scanner.problem {
            throw Failure(.badData, "\(file.path.shown):1: \(problem); correct the row")
        }
        guard unsafe end.offset < bytes.count || !bytes.contains(0x0D) || bytes.last == 0x0A else {
            throw TableColumns.carriageReturns(file.path)
        }
        let names = (0..<scanner.count).map { String(decoding: scanner[$0], as: UTF8.self) }
        self.columns = try TableColumns(
            first: names, hasHeader: hasHeader, count: columnCount, columns: columns, path: file.path)
        position = hasHeader ? end : first
    }

    mutating func seek(to position: RowPosition) {
        self.position = position
    }

    mutating func next(_ record: inout Record) -> RowOutcome? {
        guard unsafe position.offset < file.bytes.count else { return nil }
        record.start(at: position)
        position = unsafe scanner.scan(file.bytes, from: position)
        if let problem = scanner.problem { return .malformed(problem) }
        for column in 0..<scanner.count {
            for value in columns.values(of: column) { record.set(value, scanner[column]) }
        }
        return columns.outcome(scanner.count)
    }
}
