extension RunConfiguration {
    /// The resolved configuration as YAML: every key that has a meaning beside the others, in the order of the reference.
    /// Reads back as an equal value.
    public var resolvedYAML: String {
        var text = ""
        for (section, _) in KeyTable.sections {
            let keys = KeyTable.keys.filter { Self.section($0.path) == section && applies($0) }
            if !section.isEmpty && !keys.isEmpty { text += "\(section):\n" }
            for key in keys {
                let name = section.isEmpty ? key.path : "  " + key.path.dropFirst(section.count + 1)
                if key.path == "tasks", case .list(let tasks)? = values["tasks"] {
                    text += "tasks:\n" + tasks.map { "  - \($0.yaml)\n" }.joined()
                } else {
                    text += "\(name): \((values[key.path] ?? .null).yaml)\n"
                }
            }
        }
        return text
    }

    /// The keys that decide the bits of the result, a line each: what a resumed run must agree with. Where files lie is
    /// not in it; what is in them is compared as data.
    public var resultText: String {
        KeyTable.keys.filter { $0.decidesResult && applies($0) }.map { key in
            let value = key.path == "tasks" ? TaskReading.withoutPaths(values["tasks"]) : values[key.path]
            return "\(key.path): \((value ?? .null).yaml)"
        }.joined(separator: "\n")
    }

    /// What differs from another run's `resultText`, a sentence's part a key, such as
    /// `lr.peak is 0.001 here and 0.0001 there`.
    public func differences(fromResultText other: String) -> [String] {
        func lines(_ text: String) -> [(key: String, value: String)] {
            text.split(separator: "\n").map { line in
                let colon = line.firstIndex(of: ":") ?? line.endIndex
                return (String(line[..<colon]), String(line[colon...].dropFirst(2)))
            }
        }
        let (here, there) = (lines(resultText), lines(other))
        let mine = Dictionary(here.map { ($0.key, $0.value) }) { first, _ in first }
        let theirs = Dictionary(there.map { ($0.key, $0.value) }) { first, _ in first }
        let keys = here.map(\.key) + there.map(\.key).filter { mine[$0] == nil }
        return keys.filter { mine[$0] != theirs[$0] }.map { key in
            "\(key) is \(mine[key] ?? "absent") here and \(theirs[key] ?? "absent") there"
        }
    }

    /// Whether a key has a meaning beside the values of the others.
    func applies(_ key: Key) -> Bool {
        if key.path == "lora.rank" { return values["lora.rankA"] == .null || values["lora.rankB"] == .null }
        return switch Self.section(key.path) {
        case "hyper": method == "unolora_star"
        case "hyperformer": method == "hyperformer_pp"
        default: true
        }
    }
}
