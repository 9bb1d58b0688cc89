import Failures
import Tensors

/// Reads one JSON object per line (RFC 8259, strictly: no trailing commas, no comments, no repeated keys).
///
/// Strings give their text; whole numbers, decimal numbers and booleans give the text in the file (`1`, `0.50`, `true`), so
/// label maps use the file's spelling. Other values are malformed if a column asks for them.
struct JSONLReader: RecordReader {
    private var lines: LineCursor
    private let keys: [String]

    /// Opens a file; throws `badData` when it is empty, `badConfiguration` when a column is not a key.
    init(_ file: MappedFile, columns: [Column]) throws(Failure) {
        guard unsafe !file.bytes.isEmpty else {
            throw Failure(.badData, "\(file.path.shown) is empty; give a file with rows")
        }
        lines = LineCursor(file)
        var keys: [String] = []
        for column in columns {
            guard case .named(let key) = column else {
                throw Failure(.badConfiguration, "a JSON object has no column \(column); name its key")
            }
            keys.append(key)
        }
        self.keys = keys
    }

    mutating func seek(to position: RowPosition) {
        lines.seek(to: position)
    }

    mutating func next(_ record: inout Record) -> RowOutcome? {
        let keys = keys
        return unsafe lines.next { line, position in
            record.start(at: position)
            var reader = unsafe JSONReader(line)
            do throws(JSONReader.Problem) {
                return try Self.read(&reader, keys, &record)
            } catch {
                return .malformed("not a JSON object (byte \(error.offset + 1) of the line: \(error.text))")
            }
        }
    }

    private static func read(
        _ reader: inout JSONReader, _ keys: [String], _ record: inout Record
    ) throws(JSONReader.Problem) -> RowOutcome {
        var seen: Set<String> = []
        var unusable: String?
        try reader.object { (reader, key) throws(JSONReader.Problem) in
            guard seen.insert(key).inserted else { throw reader.problem("the key \"\(key.shown)\" occurs twice") }
            guard keys.contains(key) else { return try reader.skipValue() }
            guard let text = try reader.scalarText() else {
                unusable = unusable ?? key
                return
            }
            for index in keys.indices where keys[index] == key { record.set(index, text.utf8) }
        }
        if reader.peek() != nil { throw reader.problem("text after the object") }
        if let unusable { return .malformed("the value of \"\(unusable.shown)\" is no text, number or boolean") }
        if let missing = keys.first(where: { !seen.contains($0) }) {
            return .incomplete("the object has no key \"\(missing.shown)\"")
        }
        return .complete
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
