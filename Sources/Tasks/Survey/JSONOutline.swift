import Failures
import Tensors

/// The places of the values in the first object of a JSONL file.
struct JSONOutline {
    /// Texts, numbers and booleans, also those in objects inside.
    private(set) var values: [String] = []
    /// Lists.
    private(set) var lists: [String] = []

    /// Reads the first line; throws `badData` when it is no JSON object.
    init(_ file: TextFile) throws(Failure) {
        var lines = LineCursor(file)
        var outline = (values: [String](), lists: [String]())
        var problem: JSONReader.Problem?
        let isThere: Void? = unsafe lines.next { line, _ in
            var reader = unsafe JSONReader(line)
            do throws(JSONReader.Problem) {
                try Self.walk(&reader, at: nil, depth: 0, &outline)
            } catch {
                problem = error
            }
        }
        guard isThere != nil else { throw Failure(.badData, "\(file.path.shown) is empty; give a file with rows") }
        if let problem {
            throw Failure(
                .badData,
                "\(file.path.shown):1: not a JSON object (byte \(problem.offset + 1) of the line: \(problem.text)); correct it"
            )
        }
        (values, lists) = outline
    }

    private static func walk(
        _ reader: inout JSONReader, at place: String?, depth: Int, _ outline: inout (values: [String], lists: [String])
    ) throws(JSONReader.Problem) {
        if depth > 32 { throw reader.problem("values nested deeper than 32") }
        try reader.object { (reader, key) throws(JSONReader.Problem) in
            let name = place.map { "\($0).\(key)" } ?? key
            switch reader.peek() {
            case UInt8(ascii: "{"): return try walk(&reader, at: name, depth: depth + 1, &outline)
            case UInt8(ascii: "["): outline.lists.append(name)
            case UInt8(ascii: "n"): break
            default: outline.values.append(name)
            }
            try reader.skipValue()
        }
    }
}
