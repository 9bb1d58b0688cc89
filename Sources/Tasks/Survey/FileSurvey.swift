public import Failures
import Heartbeat
import Tensors

/// A data file of the user, read completely without knowing what its columns mean.
public struct FileSurvey: Sendable {
    /// The path.
    public let path: String
    /// Its format.
    public let format: FileFormat
    /// Whether the first row has the names of the columns.
    public let hasHeader: Bool
    /// The columns in order; of JSON objects the values of the first one that are texts, numbers or booleans.
    public private(set) var columns: [SurveyedColumn]
    /// Lists in the first JSON object; at most one of them is a column.
    public let lists: [String]
    /// Rows that could be read.
    public private(set) var rows = 0
    /// Rows that could not be read with these columns.
    public private(set) var badRows = 0
    /// The first of them, with line and reason.
    public private(set) var firstBadRow: String?
    /// The values of the first rows.
    let examples: [[String]]

    /// The number of rows that are kept as examples.
    public static let exampleCount = 3

    /// Reads a file. Without `hasHeader` the first row is a header if its cells are all different, none is empty and none a number.
    /// Throws what readers throw, and `badData` for a file of which no row can be read.
    public init(path: String, format: FileFormat, hasHeader: Bool? = nil) throws(Failure) {
        let file = try TextFile(path: path)
        (self.path, self.format) = (path, format)
        var names: [String]
        var list: String?
        switch format {
        case .jsonl:
            let outline = try JSONOutline(file)
            list = outline.answers
            (names, lists) = (outline.values + [list].compactMap(\.self), outline.lists)
            self.hasHeader = false
        case .tsv, .csv:
            lists = []
            names = try Self.firstRow(file, format)
            let isHeader =
                Set(names).count == names.count
                && names.allSatisfy { !$0.isEmpty && $0.isStreamSafe && AnswerSpace.number(of: $0) == nil }
            self.hasHeader = hasHeader ?? isHeader
            if !self.hasHeader { names = names.indices.map { "column\($0)" } }
        }
        columns = names.map { SurveyedColumn($0, isList: $0 == list) }
        var reader = try Self.reader(file, format, names, list: list, hasHeader: self.hasHeader)
        var record = Record(valueCount: names.count)
        var examples: [[String]] = []
        while let outcome = reader.next(&record) {
            if record.position.line % 4_096 == 0 { Heartbeat.beat() }
            switch outcome {
            case .complete:
                let values = names.indices.map { String(decoding: record[$0], as: UTF8.self) }
                for (index, value) in values.enumerated() { columns[index].add(value) }
                if examples.count < Self.exampleCount { examples.append(values) }
                rows += 1
            case .incomplete(let reason), .malformed(let reason):
                badRows += 1
                firstBadRow = firstBadRow ?? "line \(record.position.line): \(reason)"
            }
        }
        self.examples = examples
        guard rows > 0 else {
            let reason = firstBadRow.map { " (\($0))" } ?? ""
            throw Failure(.badData, "\(path.shown) has no row that can be read\(reason); give a file with rows")
        }
    }

    private static func firstRow(_ file: TextFile, _ format: FileFormat) throws(Failure) -> [String] {
        let count =
            format == .tsv
            ? try TSVReader(file, hasHeader: false, columnCount: nil, columns: []).columnCount
            : try CSVReader(file, hasHeader: false, columnCount: nil, columns: []).columnCount
        var reader = try reader(file, format, (0..<count).map(String.init), hasHeader: false)
        var record = Record(valueCount: count)
        guard reader.next(&record) == .complete else { return [] }
        return (0..<count).map { String(decoding: record[$0], as: UTF8.self) }
    }

    private static func reader(
        _ file: TextFile, _ format: FileFormat, _ names: [String], list: String? = nil, hasHeader: Bool
    ) throws(Failure) -> any RecordReader {
        // By their numbers: a header may have a name twice.
        let places = names.indices.map(Column.index)
        switch format {
        case .tsv: return try TSVReader(file, hasHeader: hasHeader, columnCount: nil, columns: places)
        case .csv: return try CSVReader(file, hasHeader: hasHeader, columnCount: nil, columns: places)
        case .jsonl:
            return try JSONLReader(
                file, columns: names.map(Column.named), listColumn: list.flatMap(names.firstIndex))
        }
    }
}
