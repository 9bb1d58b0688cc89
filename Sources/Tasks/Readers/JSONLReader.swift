import Failures
import Tensors

/// Reads one JSON object per line (RFC 8259, strictly: no trailing commas, no comments, no repeated keys).
///
/// Strings give their text; whole numbers, decimal numbers and booleans give the text in the file (`1`, `0.50`, `true`), so
/// label maps use the file's spelling. One column may also be a list of such values. Other values are malformed if a column asks
/// for them. `JSONNames` says what the names of columns mean.
struct JSONLReader: RecordReader {
    private var lines: LineCursor
    private let keys: [String]
    private let names: JSONNames
    private let listColumn: Int?

    /// Opens a file; throws `badData` when it is empty, `badConfiguration` when a column is not a key. `listColumn` is the index of
    /// the column that may be a list; nil for none.
    init(_ file: TextFile, columns: [Column], listColumn: Int? = nil) throws(Failure) {
        guard unsafe !file.bytes.isEmpty else {
            throw Failure(.badData, "\(file.path.shown) is empty; give a file with rows")
        }
        try Self.refuseArray(file)
        lines = LineCursor(file)
        keys = try Self.keys(columns)
        names = JSONNames(keys)
        self.listColumn = listColumn
    }

    /// Throws `badData` for a file that is one JSON array: its rows are there, but not one on each line.
    static func refuseArray(_ file: TextFile) throws(Failure) {
        let space = Set(" \t\r\n".utf8)
        guard unsafe file.bytes.first(where: { !space.contains($0) }) == UInt8(ascii: "["),
            unsafe file.bytes.last(where: { !space.contains($0) }) == UInt8(ascii: "]")
        else { return }
        throw Failure(
            .badData,
            "\(file.path.shown) is one JSON array, and JSONL has an object on each line; `jq -c '.[]'` writes it like that"
        )
    }

    /// The columns as names; throws `badConfiguration` when one is a number.
    static func keys(_ columns: [Column]) throws(Failure) -> [String] {
        var keys: [String] = []
        for column in columns {
            guard case .named(let key) = column else {
                throw Failure(.badConfiguration, "a JSON object has no column \(column); name its key")
            }
            keys.append(key)
        }
        return keys
    }

    mutating func seek(to position: RowPosition) {
        lines.seek(to: position)
    }

    mutating func next(_ record: inout Record) -> RowOutcome? {
        let (keys, listColumn, names) = (keys, listColumn, names)
        return unsafe lines.next { line, position in
            record.start(at: position)
            var reader = unsafe JSONReader(line)
            do throws(JSONReader.Problem) {
                return try Self.read(&reader, keys, listColumn, names, &record)
            } catch {
                return .malformed("not a JSON object (byte \(error.offset + 1) of the line: \(error.text))")
            }
        }
    }

    private static func read(
        _ reader: inout JSONReader, _ keys: [String], _ listColumn: Int?, _ names: JSONNames, _ record: inout Record
    ) throws(JSONReader.Problem) -> RowOutcome {
        var unusable: String?
        let absence = try names.read(&reader) { (reader, key) throws(JSONReader.Problem) in
            let mayBeList = listColumn.map { keys[$0] == key } ?? false
            guard let texts = try mayBeList ? reader.scalarTexts() : reader.scalarText().map({ [$0] }) else {
                unusable = unusable ?? key
                return
            }
            for index in keys.indices where keys[index] == key { record.set(index, texts: texts) }
        }
        if let unusable {
            let isListed = listColumn.map { keys[$0] == unusable } ?? false
            return .malformed(
                "the value of \"\(unusable.shown)\" is no text, number or boolean"
                    + (isListed ? ", and no list of at least one of them" : ""))
        }
        return absence.map { .incomplete($0) } ?? .complete
    }
}

extension JSONReader {
    /// The texts of a list of strings, numbers and booleans, or the text of a single one; nil for other values, an empty list, and
    /// a list with something else in it.
    mutating func scalarTexts() throws(JSONReader.Problem) -> [String]? {
        guard peek() == UInt8(ascii: "[") else { return try scalarText().map { [$0] } }
        var texts: [String] = []
        var isWhole = true
        try array { (reader) throws(JSONReader.Problem) in
            if let text = try reader.scalarText() { texts.append(text) } else { isWhole = false }
        }
        return isWhole && !texts.isEmpty ? texts : nil
    }

    /// The text of a string, number or boolean as the file writes it; nil for another value, which is skipped.
    mutating func scalarText() throws(JSONReader.Problem) -> String? {
        let first = peek()
        if first == UInt8(ascii: "\"") { return try string() }
        let start = offset
        try skipValue()
        guard let first, first != UInt8(ascii: "{"), first != UInt8(ascii: "["), first != UInt8(ascii: "n") else {
            return nil
        }
        return unsafe String(decoding: bytes[start..<offset], as: UTF8.self)
    }
}
