import Failures
import Tensors

/// The places of the values in the first object of a JSONL file.
struct JSONOutline {
    /// Texts, numbers and booleans, also those in objects inside.
    private(set) var values: [String] = []
    /// Lists.
    private(set) var lists: [String] = []
    /// The list of texts that is most likely the answer of a task with free text: one with a usual name, or any if the object has
    /// hardly another text that could be.
    private(set) var answers: String?

    /// What is found on the way.
    private struct Found {
        var values: [String] = []
        var lists: [String] = []
        var textLists: [String] = []
        /// Texts of several words.
        var phrases = 0
    }

    /// Reads the first line; throws `badData` when it is no JSON object.
    init(_ file: TextFile) throws(Failure) {
        try JSONLReader.refuseArray(file)
        var lines = LineCursor(file)
        var found = Found()
        var problem: JSONReader.Problem?
        let isThere: Void? = unsafe lines.next { line, _ in
            var reader = unsafe JSONReader(line)
            do throws(JSONReader.Problem) {
                try Self.walk(&reader, at: nil, depth: 0, &found)
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
        (values, lists) = (found.values, found.lists)
        answers =
            found.textLists.first(where: SurveyedColumn.isNamedAnswer)
            ?? (found.phrases < 2 ? found.textLists.last : nil)
    }

    private static func walk(
        _ reader: inout JSONReader, at place: String?, depth: Int, _ found: inout Found
    ) throws(JSONReader.Problem) {
        if depth > 32 { throw reader.problem("values nested deeper than 32") }
        try reader.object { (reader, key) throws(JSONReader.Problem) in
            let name = place.map { "\($0).\(key)" } ?? key
            switch reader.peek() {
            case UInt8(ascii: "{"): return try walk(&reader, at: name, depth: depth + 1, &found)
            case UInt8(ascii: "["):
                found.lists.append(name)
                if try areTexts(&reader) { found.textLists.append(name) }
            case UInt8(ascii: "n"): try reader.skipValue()
            default:
                found.values.append(name)
                if try reader.scalarText()?.utf8.contains(0x20) ?? false { found.phrases += 1 }
            }
        }
    }

    /// Reads a list; whether it has only texts, at least one.
    private static func areTexts(_ reader: inout JSONReader) throws(JSONReader.Problem) -> Bool {
        var (texts, others) = (0, 0)
        try reader.array { (reader) throws(JSONReader.Problem) in
            if reader.peek() == UInt8(ascii: "\"") { texts += 1 } else { others += 1 }
            try reader.skipValue()
        }
        return texts > 0 && others == 0
    }
}
