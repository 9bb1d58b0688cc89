public import Failures
import Tensors

/// The source text of an example, with placeholders for its fields: `cb premise: {premise} hypothesis: {hypothesis}`.
///
/// `{{` and `}}` stand for single braces.
public struct Template: Sendable, Equatable, Codable {
    enum Part: Sendable, Equatable, Codable {
        case text(String)
        /// Index into the task's fields.
        case field(Int)
    }

    /// The template as written.
    public let pattern: String
    let parts: [Part]

    /// Reads a template; `badConfiguration` when a brace is left open or a field is unknown, unnamed or absent.
    ///
    /// - Parameter fields: The names of the task's fields; rendered values come in this order.
    public init(_ pattern: String, fields: [String]) throws(Failure) {
        self.pattern = pattern
        parts = try Self.parse(pattern, fields)
        guard parts.contains(where: { if case .field = $0 { true } else { false } }) else {
            throw Self.refusal(pattern, "names no field", fields)
        }
    }

    /// The default pattern: `<task> <field>: {field} <field>: {field}`.
    public static func defaultPattern(task: String, fields: [String]) -> String {
        ([task] + fields.map { "\($0): {\($0)}" }).joined(separator: " ")
    }

    /// Appends the text to `output`; `value(i)` returns the UTF-8 of field i.
    func render(into output: inout RenderedSource, _ value: (Int) -> ArraySlice<UInt8>) {
        for part in parts {
            switch part {
            case .text(let text): output.append(text.utf8)
            case .field(let index): output.append(value(index))
            }
        }
    }

    private static func parse(_ pattern: String, _ fields: [String]) throws(Failure) -> [Part] {
        var parts: [Part] = []
        var text = ""
        var rest = pattern[...]
        while let character = rest.popFirst() {
            switch character {
            case "{" where rest.first == "{", "}" where rest.first == "}":
                text.append(character)
                rest.removeFirst()
            case "{":
                guard let end = rest.firstIndex(of: "}") else {
                    throw refusal(pattern, "leaves a brace open", fields)
                }
                let name = String(rest[..<end])
                guard let index = fields.firstIndex(of: name) else {
                    throw refusal(pattern, "names the field \"\(name.shown)\"", fields)
                }
                if !text.isEmpty { parts.append(.text(text)) }
                text = ""
                parts.append(.field(index))
                rest = rest[rest.index(after: end)...]
            case "}":
                throw refusal(pattern, "closes a brace that is not open", fields)
            default:
                text.append(character)
            }
        }
        return text.isEmpty ? parts : parts + [.text(text)]
    }

    private static func refusal(_ pattern: String, _ problem: String, _ fields: [String]) -> Failure {
        let names = fields.map { "{\($0)}" }.joined(separator: ", ")
        return Failure(
            .badConfiguration, "the template \"\(pattern.shown)\" \(problem); use \(names), and {{ for a brace itself")
    }
}
