import Tensors

/// Takes a JSON object with many rows apart. Values outside of the lists belong to all rows in them.
struct JSONRows: Sendable {
    /// Why a line has no rows.
    struct Refusal: Error {
        let reason: String
    }

    /// What was found in an object: values by the index of their name, and the rows of lists in it.
    private struct Found {
        var values: [Int: String] = [:]
        var rows: [[Int: String]]?

        /// Takes over what was found in an object inside.
        mutating func add(_ inner: Found) {
            values.merge(inner.values) { $1 }
            if let more = inner.rows { rows = (rows ?? []) + more }
        }
    }

    /// The asked-for values: texts by their places, and lists by theirs, whose value is the number of the element.
    let names: [String]
    private let place: String
    /// What stands before a dot of a name or of the place of the rows, and that place itself.
    private let outer: Set<String>

    init(of place: String, names: [String]) {
        self.names = names
        self.place = place
        var outer: Set<String> = [place]
        for name in names + [place] {
            let scalars = name.unicodeScalars
            for dot in scalars.indices where scalars[dot] == "." { outer.insert(String(scalars[..<dot])) }
        }
        self.outer = outer
    }

    /// The values of each row, in the order of the names; nil for one that the row does not have. `line` makes the numbers of
    /// elements different for each object of a file.
    func read(_ text: UnsafeRawBufferPointer, line: Int) -> Result<[[String?]], Refusal> {
        var reader = unsafe JSONReader(text)
        do throws(JSONReader.Problem) {
            let found = try object(&reader, at: nil, number: "\(line)")
            if reader.peek() != nil { throw reader.problem("text after the object") }
            guard let rows = found.rows else {
                return .failure(Refusal(reason: "the object has no list \"\(place.shown)\""))
            }
            return .success(rows.map { row in names.indices.map { row[$0] } })
        } catch {
            let reason = "not a JSON object (byte \(error.offset + 1) of the line: \(error.text))"
            return .failure(Refusal(reason: reason))
        }
    }

    private func object(
        _ reader: inout JSONReader, at outerPlace: String?, number: String
    ) throws(JSONReader.Problem) -> Found {
        var found = Found()
        var keys: Set<String> = []
        try reader.object { (reader, key) throws(JSONReader.Problem) in
            guard keys.insert(key).inserted else { throw reader.problem("the key \"\(key.shown)\" occurs twice") }
            let name = outerPlace.map { "\($0).\(key)" } ?? key
            switch reader.peek() {
            case UInt8(ascii: "{") where outer.contains(name):
                found.add(try object(&reader, at: name, number: number))
            case UInt8(ascii: "[") where isOnTheWay(name):
                found.add(try list(&reader, at: name, number: number))
            default:
                guard names.contains(name) else { return try reader.skipValue() }
                let text = try reader.scalarText()
                for index in names.indices where names[index] == name { found.values[index] = text }
            }
        }
        // Values that stand behind a list belong to its rows, too.
        found.rows = found.rows?.map { $0.merging(found.values) { inner, _ in inner } }
        return found
    }

    private func list(
        _ reader: inout JSONReader, at name: String, number: String
    ) throws(JSONReader.Problem) -> Found {
        var all = Found(rows: [])
        var element = 0
        try reader.array { (reader) throws(JSONReader.Problem) in
            guard reader.peek() == UInt8(ascii: "{") else {
                throw reader.problem("an element of \"\(name.shown)\" is no object")
            }
            let own = "\(number).\(element)"
            element += 1
            var found = try object(&reader, at: name, number: own)
            for index in names.indices where names[index] == name { found.values[index] = own }
            all.rows? += (name == place ? [found.values] : found.rows ?? []).map {
                $0.merging(found.values) { inner, _ in inner }
            }
        }
        return all
    }

    /// Whether a place is that of the rows or leads to it.
    private func isOnTheWay(_ name: String) -> Bool {
        name == place || place.utf8.starts(with: name.utf8) && outer.contains(name)
    }
}
