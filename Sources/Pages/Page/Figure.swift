import Foundation

/// A chart with what it shows, in words and as numbers.
package struct Figure: Sendable {
    /// Identifies the figure in the page and names its file.
    package private(set) var id: String
    let title: String
    let reading: String
    let drawing: Drawing
    let table: DataTable?

    /// Creates a figure.
    ///
    /// - Parameters:
    ///   - id: lower-case letters, digits and hyphens, as `identifier` makes them.
    ///   - reading: what is to be seen, in one line.
    package init(_ id: String, title: String, reading: String, _ drawing: Drawing, table: DataTable? = nil) {
        self.id = id
        self.title = title
        self.reading = reading
        self.drawing = drawing
        self.table = table
    }

    /// The same figure with another identifier.
    func named(_ id: String) -> Figure {
        var copy = self
        copy.id = id
        return copy
    }

    /// An identifier made of any text: its letters and digits, of any script, in lower case. Other texts may have the same one. A text
    /// without letters and digits has the numbers of its characters.
    package static func identifier(_ text: String) -> String {
        var (parts, bytes): ([String], Int) = ([""], 0)
        for scalar in text.precomposedStringWithCanonicalMapping.lowercased().unicodeScalars {
            bytes += UTF8.width(scalar)
            guard bytes <= longest else { break }
            if isWord(scalar) {
                parts[parts.count - 1].unicodeScalars.append(scalar)
            } else if parts[parts.count - 1] != "" {
                parts.append("")
            }
        }
        let words = parts.filter { !$0.isEmpty }.joined(separator: "-")
        guard words.isEmpty else { return words }
        return text.unicodeScalars.prefix(8).map { "u" + String($0.value, radix: 16) }.joined(separator: "-")
    }

    /// The bytes of a text that count; the name of a file has 255 at most.
    private static let longest = 120

    /// Letters, digits, and the signs above and below letters.
    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .uppercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .nonspacingMark, .spacingMark:
            true
        default: false
        }
    }

    private func picture(isFile: Bool) -> Node {
        let (width, height) = (NumberText.place(drawing.width), NumberText.place(drawing.height))
        let style: [Node] = isFile ? [.of("style", [:], [.style(Style.drawing(root: "svg"))])] : []
        return .of(
            "svg",
            [
                "xmlns": isFile ? "http://www.w3.org/2000/svg" : nil, "viewBox": "0 0 \(width) \(height)",
                "width": isFile ? width : nil, "height": isFile ? height : nil, "role": "img",
                "aria-labelledby": "\(id)-title \(id)-reading",
            ],
            [.of("title", ["id": "\(id)-title"], title), .of("desc", ["id": "\(id)-reading"], reading)] + style
                + [.of("g", [:], drawing.content)])
    }

    /// The picture as a file of its own, which has the colours of the reader's setting, light or dark.
    package var file: String { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + picture(isFile: true).source }

    /// The figure in a page.
    var node: Node {
        var content: [Node] = [
            .of("h3", [:], title), .of("p", ["class": "reading"], reading), picture(isFile: false),
        ]
        if let table {
            content.append(
                .of("details", [:], [.of("summary", [:], "Numbers: \(title)"), table.node(named: title)]))
        }
        return .of("figure", ["id": id, "aria-labelledby": "\(id)-title"], content)
    }
}
