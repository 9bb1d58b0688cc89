/// A piece of a page or drawing: an element, or text.
package indirect enum Node: Sendable, Equatable {
    /// An element with its attributes in order.
    case element(String, [Attribute], [Node])
    /// Text, which is escaped when it is written.
    case text(String)
    /// A style sheet, which is written as it is.
    case style(String)

    /// An attribute's name and value.
    package struct Attribute: Sendable, Equatable {
        let name: String
        let value: String

        /// Creates an attribute.
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Elements of HTML that have no content and no end tag.
    private static let void: Set<String> = ["meta", "br", "hr", "link"]

    /// An element whose attributes are given by name; those that are nil are left out.
    static func of(_ name: String, _ attributes: KeyValuePairs<String, String?> = [:], _ children: [Node] = []) -> Node
    {
        .element(name, attributes.compactMap { pair in pair.value.map { Attribute(pair.key, $0) } }, children)
    }

    /// An element that contains text.
    static func of(_ name: String, _ attributes: KeyValuePairs<String, String?> = [:], _ text: String) -> Node {
        of(name, attributes, [.text(text)])
    }

    /// The source text.
    package var source: String {
        var output = ""
        write(to: &output)
        return output
    }

    private func write(to output: inout String) {
        switch self {
        case .text(let text): output += Self.escaped(text)
        case .style(let text): output += text
        case .element(let name, let attributes, let children):
            output += "<" + name
            for attribute in attributes { output += " \(attribute.name)=\"\(Self.escaped(attribute.value))\"" }
            output += ">"
            if Self.void.contains(name) { return }
            for child in children { child.write(to: &output) }
            output += "</\(name)>"
            if Self.endsLine.contains(name) { output += "\n" }
        }
    }

    /// Elements after which a line ends, so that the source can be read and compared.
    private static let endsLine: Set<String> = [
        "svg", "g", "figure", "section", "table", "tr", "p", "h1", "h2", "h3", "li", "head", "title", "style", "path",
        "rect",
        "text", "circle", "line",
    ]

    /// Text without the characters that have a meaning in markup, or that XML does not allow.
    static func escaped(_ text: String) -> String {
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": output += "&amp;"
            case "<": output += "&lt;"
            case ">": output += "&gt;"
            case "\"": output += "&quot;"
            case "\t", "\n": output.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": output += "\u{FFFD}"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
