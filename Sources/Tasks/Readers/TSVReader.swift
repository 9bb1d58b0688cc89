import Failures
import Tensors

/// Reads tab-separated values as GLUE writes them: no quoting, no escapes, one row per line.
///
/// Every row must have as many columns as the header, or, in files without one, as many as the task says. Rows of a ragged file
/// may have more, which are not read.
struct TSVReader: RecordReader {
    private var lines: LineCursor
    private let path: String
    /// For each column i: the indices in the record that it fills.
    private let valuesOfColumn: [[Int]]
    private let columnCount: Int
    private let hasHeader: Bool
    private let isRagged: Bool

    /// Opens a file; throws `badData` when it is empty or its header lacks a requested column.
    ///
    /// `columnCount`: the number of columns of a file without header; nil takes that of the first row.
    init(
        _ file: MappedFile, hasHeader: Bool, columnCount: Int?, isRagged: Bool = false, columns: [Column]
    ) throws(Failure) {
        lines = LineCursor(file)
        path = file.path
        let first = lines
        var hasReturns = false
        guard
            let names = unsafe lines.next({ line, _ in
                hasReturns = unsafe line.contains(0x0D)
                return unsafe Self.split(line)
            })
        else { throw Failure(.badData, "\(path.shown) is empty; give a file with rows") }
        guard unsafe !hasReturns || lines.position.offset < file.bytes.count else {
            throw Failure(
                .badData,
                "\(path.shown):1: the lines end with a carriage return alone; convert the file, as tr '\\r' '\\n' does")
        }
        guard let names else {
            throw Failure(.badData, "\(path.shown):1: the line is not UTF-8; convert the file")
        }
        guard !hasHeader || names.allSatisfy(\.isStreamSafe) else {
            throw Failure(
                .badData,
                "\(path.shown):1: the header has a name with more than 30 combining marks in a row; correct it")
        }
        if !hasHeader { lines = first }
        let places = hasHeader ? names : (0..<(columnCount ?? names.count)).map(String.init)
        self.columnCount = places.count
        self.hasHeader = hasHeader
        self.isRagged = isRagged
        var values: [[Int]] = Array(repeating: [], count: places.count)
        for (index, column) in columns.enumerated() {
            values[try Self.place(of: column, in: places, path)].append(index)
        }
        valuesOfColumn = values
    }

    mutating func seek(to position: RowPosition) {
        lines.seek(to: position)
    }

    mutating func next(_ record: inout Record) -> RowOutcome? {
        let valuesOfColumn = valuesOfColumn
        let (columnCount, isRagged) = (columnCount, isRagged)
        let expected = hasHeader ? "the file has \(columnCount)" : "rows of this file have \(columnCount)"
        return unsafe lines.next { line, position in
            record.start(at: position)
            guard unsafe isUTF8(line) else { return .malformed("the line is not UTF-8") }
            var column = 0
            var start = 0
            while true {
                let tab = unsafe line[start...].firstIndex(of: 0x09)
                if column < columnCount {
                    for value in valuesOfColumn[column] {
                        unsafe record.set(value, UnsafeRawBufferPointer(rebasing: line[start..<(tab ?? line.count)]))
                    }
                }
                column += 1
                guard let tab else { break }
                start = tab + 1
            }
            if column == columnCount || (isRagged && column > columnCount) { return .complete }
            let reason = "the row has \(column) \(column == 1 ? "column" : "columns"), but \(expected)"
            return column < columnCount ? .incomplete(reason) : .malformed(reason)
        }
    }

    private static func split(_ line: UnsafeRawBufferPointer) -> [String]? {
        // The search is over bytes: comparing a character with a tab takes time quadratic in the number of its combining marks.
        guard unsafe isUTF8(line) else { return nil }
        return unsafe line.split(separator: 0x09, omittingEmptySubsequences: false).map {
            unsafe String(decoding: $0, as: UTF8.self)
        }
    }

    private static func place(of column: Column, in names: [String], _ path: String) throws(Failure) -> Int {
        switch column {
        case .index(let index):
            guard names.indices.contains(index) else {
                throw Failure(
                    .badData,
                    "\(path.shown):1: there is no column \(index), only 0 to \(names.count - 1); "
                        + "check the file and the task's columns")
            }
            return index
        case .named(let name):
            guard let index = names.firstIndex(of: name) else {
                let list = names.prefix(30).map { "\"\($0.shown)\"" }.joined(separator: ", ")
                throw Failure(
                    .badData,
                    "\(path.shown):1: the header has no column \"\(name.shown)\" (it has \(list)); "
                        + "check the file and the task's columns")
            }
            guard names.lastIndex(of: name) == index else {
                throw Failure(
                    .badData, "\(path.shown):1: the header has two columns \"\(name.shown)\"; rename one of them")
            }
            return index
        }
    }
}

/// Whether bytes are well-formed UTF-8.
func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe String(validating: bytes, as: UTF8.self) != nil
}
