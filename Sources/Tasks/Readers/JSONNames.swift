import Tensors

/// The names under which values of a JSON object are asked for. A dot leads into an object: `target.text` is the value of the key
/// `text` of the object under the key `target`, or that of the key `target.text` itself.
struct JSONNames: Sendable {
    private let names: [String]
    /// What stands before a dot of a name: the places of objects with asked-for values.
    private let outer: Set<String>

    /// What an object turned out to hold.
    private struct Found {
        var values: Set<String> = []
        var objects: Set<String> = []
        var others: Set<String> = []
    }

    init(_ names: [String]) {
        self.names = names
        var outer: Set<String> = []
        for name in names {
            let scalars = name.unicodeScalars
            for dot in scalars.indices where scalars[dot] == "." { outer.insert(String(scalars[..<dot])) }
        }
        self.outer = outer
    }

    /// Reads an object that is all that the reader has left. `body` is called with the name of each value that is asked for and
    /// must consume it. Returns why a value is absent; nil when all are there.
    func read(
        _ reader: inout JSONReader, _ body: (inout JSONReader, String) throws(JSONReader.Problem) -> Void
    ) throws(JSONReader.Problem) -> String? {
        var found = Found()
        try read(&reader, within: nil, &found, body)
        if reader.peek() != nil { throw reader.problem("text after the object") }
        return names.first { !found.values.contains($0) }.map { absence(of: $0, found) }
    }

    private func read(
        _ reader: inout JSONReader, within place: String?, _ found: inout Found,
        _ body: (inout JSONReader, String) throws(JSONReader.Problem) -> Void
    ) throws(JSONReader.Problem) {
        var keys: Set<String> = []
        try reader.object { (reader, key) throws(JSONReader.Problem) in
            guard keys.insert(key).inserted else { throw reader.problem("the key \"\(key.shown)\" occurs twice") }
            let name = place.map { "\($0).\(key)" } ?? key
            if names.contains(name) {
                guard found.values.insert(name).inserted else {
                    throw reader.problem("there are two values for \"\(name.shown)\", as one key and in an object")
                }
                try body(&reader, name)
            } else if outer.contains(name), reader.peek() == UInt8(ascii: "{") {
                found.objects.insert(name)
                try read(&reader, within: name, &found, body)
            } else {
                if outer.contains(name) { found.others.insert(name) }
                try reader.skipValue()
            }
        }
    }

    private func absence(of name: String, _ found: Found) -> String {
        let scalars = name.unicodeScalars
        let dots = scalars.indices.filter { scalars[$0] == "." }.reversed()
        for dot in dots {
            let (place, rest) = (String(scalars[..<dot]), String(scalars[scalars.index(after: dot)...]))
            if found.objects.contains(place) {
                return "the object under \"\(place.shown)\" has no key \"\(rest.shown)\""
            }
            if found.others.contains(place) {
                return "the value of \"\(place.shown)\" is no object, so it has no \"\(rest.shown)\""
            }
        }
        let keys = [name] + dots.map { String(scalars[..<$0]) }.suffix(1)
        return "the object has no key " + keys.map { "\"\($0.shown)\"" }.joined(separator: ", and none ")
    }
}
