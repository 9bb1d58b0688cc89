public import Failures

/// The keys as plain text for a terminal.
public enum KeyListing {
    /// The name under which the keys without a section are asked for.
    static let top = "top"

    /// What can be asked for: the sections, in the order of the reference page.
    public static let sections = KeyTable.sections.map { $0.name.isEmpty ? top : $0.name }

    /// All keys; those of a section, by its name; or one key, by its path. Throws `usage` for another word.
    public static func text(of wanted: String?) throws(Failure) -> String {
        guard let wanted else {
            return KeyTable.sections.map { section($0.name, $0.purpose) }.joined(separator: "\n")
        }
        if let key = KeyTable.byPath[KeyTable.aliases[wanted] ?? wanted] {
            return entry(key) + (key.path == "tasks" ? ConfigurationReference.customTasks : "")
        }
        if let found = KeyTable.sections.first(where: { $0.name == (wanted == top ? "" : wanted) }) {
            return section(found.name, found.purpose)
        }
        let known = sections + KeyTable.keys.map(\.path)
        let hint = UnknownKey.nearest(to: wanted, among: known) { $0 }.map { "; did you mean \($0)?" }
        throw Failure(
            .usage,
            "\(wanted) is neither a key nor a section\(hint ?? "; the sections are \(sections.joined(separator: ", "))")"
        )
    }

    private static func section(_ name: String, _ purpose: String) -> String {
        let keys = KeyTable.keys.filter { RunConfiguration.section($0.path) == name }
        return "\(name.isEmpty ? top : name): \(purpose)\n\n" + keys.map(entry).joined()
    }

    /// A key with its default and what it allows, and its purpose below.
    private static func entry(_ key: Key) -> String {
        let standard = key.standard.map { "default \($0)" } ?? "required"
        let result = key.decidesResult ? "; decides the bits of the result" : ""
        return wrapped("\(key.path)  (\(standard); \(key.kind.allowed)\(result))", indent: 2, hanging: 6)
            + wrapped(key.purpose, indent: 6, hanging: 6)
    }

    /// A text in lines of at most 80 characters, where its words allow that.
    private static func wrapped(_ text: String, indent: Int, hanging: Int) -> String {
        var lines: [String] = []
        var line = String(repeating: " ", count: indent)
        var isEmpty = true
        for word in text.split(separator: " ", omittingEmptySubsequences: false) {
            if !isEmpty, line.count + 1 + word.count > 80 {
                lines.append(line)
                line = String(repeating: " ", count: hanging)
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return (lines + [line]).map { $0 + "\n" }.joined()
    }
}
