import Failures
import Tensors

/// Reads one JSON object per line (RFC 8259, strictly: no trailing commas, no comments, no repeated keys).
///
/// Strings give their text; whole numbers, decimal numbers and booleans give the text in the file (`1`, `0.50`, `true`), so
/// label maps use the file's spelling. Other values are malformed if a column asks for them. `JSONNames` says what the names of
/// columns mean.
struct JSONLReader: RecordReader {
    private var lines: LineCursor
    private let keys: [String]
    private let names: JSONNames

    /// Opens a file; throws `badData` when it is empty, `badConfiguration` when a column is not a key.
    init(_ file: TextFile, columns: [Column]) throws(Failure) {
        guard unsafe !file.bytes.isEmpty else {
            throw Failure(.badData, "\(file.path.shown) is empty; give a file with rows")
        }
        lines = LineCursor(file)
        keys = try Self.keys(columns)
        names = JSONNames(keys)
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
        let (keys, names) = (keys, names)
        return unsafe lines.next { line, position in
            record.start(at: position)
            var reader = unsafe JSONReader(line)
            do throws(JSONReader.Problem) {
                return try Self.read(&reader, keys, names, &record)
            } catch {
                return .malformed("not a JSON object (byte \(error.offset + 1) of the line: \(error.text))")
            }
        }
    }

    private static func read(
        _ reader: inout JSONReader, _ keys: [String], _ names: JSONNames, _ record: inout Record
    ) throws(JSONReader.Problem) -> RowOutcome {
        var unusable: String?
        let absence = try names.read(&reader) { (reader, key) throws(JSONReader.Problem) in
            guard let text = try reader.scalarText() else {
                unusable = unusable ?? key
                return
            }
            for index in keys.indices where keys[index] == key { record.set(index, text.utf8) }
        }
        if let unusable { return .malformed("the value of \"\(unusable.shown)\" is no text, number or boolean") }
        return absence.map { .incomplete($0) } ?? .complete
    }
}

extension JSONReader {
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
