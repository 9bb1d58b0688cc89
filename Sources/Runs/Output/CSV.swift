/// Comma-separated values as RFC 4180 describes them, with line feeds.
package enum CSV {
    /// A line of fields, with its end. Those with a comma, quote or line break are in quotes.
    package static func line(_ fields: [String]) -> String {
        fields.map(quoted).joined(separator: ",") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        // A carriage return with a line feed behind it is one character to Swift.
        guard text.unicodeScalars.contains(where: { [",", "\"", "\n", "\r"].contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
