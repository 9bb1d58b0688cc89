import Tensors

/// A JSON value, as far as the tokenizer's files need it: objects keep the order of their keys, and no key occurs twice.
enum JSONValue {
    case null
    case boolean(Bool)
    /// A whole number of 0 or more.
    case natural(Int)
    /// A negative or fractional number.
    case number
    case text(String)
    case list([JSONValue])
    case object([(key: String, value: JSONValue)])

    /// Reads a value; `JSONReader` limits the depth.
    init(_ reader: inout JSONReader, depth: Int = 0) throws(JSONReader.Problem) {
        switch reader.peek() {
        case UInt8(ascii: "{") where depth < 32:
            var members: [(key: String, value: JSONValue)] = []
            var keys: Set<[UInt8]> = []
            try reader.object { (reader, key) throws(JSONReader.Problem) in
                guard keys.insert(Array(key.utf8)).inserted else {
                    throw reader.problem("the key \"\(key.shown)\" occurs twice")
                }
                members.append((key, try JSONValue(&reader, depth: depth + 1)))
            }
            self = .object(members)
        case UInt8(ascii: "[") where depth < 32:
            var values: [JSONValue] = []
            try reader.array { (reader) throws(JSONReader.Problem) in
                values.append(try JSONValue(&reader, depth: depth + 1))
            }
            self = .list(values)
        case UInt8(ascii: "\""):
            self = .text(try reader.name())
        case .some:
            _ = reader.peek()
            let start = reader.offset
            try reader.skipValue(depth: depth)
            switch unsafe String(decoding: reader.bytes[start..<reader.offset], as: UTF8.self) {
            case "null": self = .null
            case "true": self = .boolean(true)
            case "false": self = .boolean(false)
            case let text: self = Int(text).flatMap { $0 >= 0 ? .natural($0) : nil } ?? .number
            }
        case nil:
            throw reader.problem("text ends where a value belongs")
        }
    }

    /// The value of a key; nil when the object lacks the key or this is not an object.
    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }
}
