import Foundation
public import OrderedCollections

/// A checked value of the configuration.
public enum Value: Sendable, Equatable {
    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([Value])
    /// Keys in the order in which they were written.
    case mapping(Mapping)

    /// Values by key, in the order of the keys.
    public typealias Mapping = OrderedDictionary<String, Value>

    /// The texts of a list; none for anything else.
    var texts: [String] {
        guard case .list(let items) = self else { return [] }
        return items.compactMap { item in
            if case .text(let text) = item { return text }
            return nil
        }
    }

    /// The value as one line of YAML (flow style), which reads back as the same value.
    var yaml: String {
        switch self {
        case .null: "null"
        case .flag(let flag): flag ? "true" : "false"
        case .integer(let integer): "\(integer)"
        case .number(let number): number == .infinity ? ".inf" : "\(number)"
        case .text(let text): Self.quoted(text)
        case .list(let values): "[" + values.map(\.yaml).joined(separator: ", ") + "]"
        case .mapping(let values):
            "{" + values.map { "\(Self.quoted($0)): \($1.yaml)" }.joined(separator: ", ") + "}"
        }
    }

    /// Plain if YAML reads the text back unchanged, otherwise in double quotes.
    private static func quoted(_ text: String) -> String {
        let plain = text.wholeMatch(of: #/[A-Za-z_\/][A-Za-z0-9_\/.\-]*/#) != nil
        if plain, !["null", "none", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased()) {
            return text
        }
        let escaped = text.unicodeScalars.map { scalar -> String in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\t": "\\t"
            // Characters that YAML calls not printable or takes for a line end.
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}"..."\u{2029}", "\u{FEFF}":
                String(format: "\\u%04x", scalar.value)
            default: String(scalar)
            }
        }
        return "\"" + escaped.joined() + "\""
    }
}
