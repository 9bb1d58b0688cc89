public import Foundation

extension RunConfiguration {
    /// The resolved configuration as YAML: every key that has an effect given the other values, in the order of the reference.
    /// Reading it gives an equal value.
    public var resolvedYAML: String { resolvedYAML(in: nil) }

    /// The same text for a file in `directory`: paths that the user wrote as relative ones are relative to it, so that all can be
    /// moved together.
    public func resolvedYAML(in directory: String?) -> String {
        var text = Self.resolvedHead + ".\n"
        for (section, _) in KeyTable.sections {
            let keys = KeyTable.keys.filter { Self.section($0.path) == section && applies($0) }
            if !section.isEmpty && !keys.isEmpty { text += "\(section):\n" }
            for key in keys {
                let name = section.isEmpty ? key.path : "  " + key.path.dropFirst(section.count + 1)
                if key.path == "tasks", case .list(let tasks) = value(of: key, in: directory) {
                    text += "tasks:\n" + tasks.map { "  - \($0.yaml)\n" }.joined()
                } else {
                    text += "\(name): \(value(of: key, in: directory).yaml)\n"
                }
            }
        }
        return text
    }

    /// The first line of a resolved configuration, which shows that the keys below it are not the user's wishes.
    static let resolvedHead = "# Every key of a run as it was used, by unolora-dist"

    /// Whether a text is a resolved configuration with the same meaning, written by this version or an earlier one. A text to
    /// which somebody added a comment is not. Relative paths in the text are relative to `directory`.
    public func isSaid(by text: Data?, in directory: String = "/") -> Bool {
        guard let text, let yaml = String(data: text, encoding: .utf8), yaml.hasPrefix(Self.resolvedHead) else {
            return false
        }
        let own = Set((resolvedYAML + resolvedYAML(in: directory)).split(separator: "\n"))
        guard yaml.split(separator: "\n").allSatisfy({ own.contains($0) || !$0.contains("#") }) else { return false }
        return (try? Self.load(yaml: yaml, name: "", directory: directory)) == self
    }

    /// The keys that decide the bits of the result, one per line; a resumed run must have the same. It does not contain the
    /// paths of files; their content is compared as data.
    public var resultText: String {
        KeyTable.keys.filter { $0.decidesResult && isRecorded($0) }.map(line).joined(separator: "\n")
    }

    /// Those of these keys on which a use of the trained adapter depends, one per line, for a digest. Keys that an earlier
    /// version had as one key are written as that key if it could express them, so that the digest stays the same.
    public func resultText(for use: AdapterUse) -> String {
        let keys = KeyTable.keys.filter { $0.decidesResult && isRecorded($0) && use.depends(on: $0.path) }
        var lines = keys.map { (path: $0.path, text: line($0)) }
        for former in KeyTable.formerKeys {
            let present = lines.map(\.text)
            guard
                let meaning = former.meanings.first(where: {
                    $0.settings.allSatisfy { present.contains("\($0.path): \($0.value)") }
                }), let place = lines.firstIndex(where: { former.successors.contains($0.path) })
            else { continue }
            lines[place] = (former.path, "\(former.path): \(meaning.value)")
            lines.removeAll { former.successors.contains($0.path) }
        }
        return lines.map(\.text).joined(separator: "\n")
    }

    /// The keys that must be the same on all ranks of a job, one per line: every key except paths, which may differ between
    /// nodes, and the number of threads.
    public var sharedText: String {
        KeyTable.keys.filter { !$0.kind.isPath && $0.path != "parallel.threads" && isRecorded($0) }.map(line)
            .joined(separator: "\n")
    }

    /// The keys on which a run's record depends, one per line: every key except paths, threads and those of `log`.
    package var recordText: String {
        KeyTable.keys.filter {
            !$0.kind.isPath && $0.path != "parallel.threads" && Self.section($0.path) != "log" && isRecorded($0)
        }.map(line).joined(separator: "\n")
    }

    /// The differences between two `resultText`s, `recordText`s or `sharedText`s for the keys that `use` depends on. Each is a
    /// part of a sentence, such as `lr.peak was 0.0001 and is 0.001`; `tasks` may give several. A key of an earlier version
    /// counts as the keys into which it was split.
    public static func differences(
        from old: String, to new: String, for use: AdapterUse = .training
    ) -> [String] {
        func lines(_ text: String) -> [(key: String, value: String)] {
            text.split(separator: "\n").flatMap { line in
                let colon = line.firstIndex(of: ":") ?? line.endIndex
                let (key, value) = (String(line[..<colon]), String(line[colon...].dropFirst(2)))
                let settings = KeyTable.formerKey(key)?.settings(for: value)
                return settings?.map { ($0.path, $0.value) } ?? [(key, value)]
            }
        }
        let (before, after) = (lines(old), lines(new))
        let was = Dictionary(before.map { ($0.key, $0.value) }) { first, _ in first }
        let now = Dictionary(after.map { ($0.key, $0.value) }) { first, _ in first }
        let keys = after.map(\.key) + before.map(\.key).filter { now[$0] == nil }
        return keys.filter { was[$0] != now[$0] && use.depends(on: $0) }.flatMap { key in
            if key == "tasks",
                let differences = TaskDifference.all(from: was[key] ?? "", to: now[key] ?? "", for: use),
                !differences.isEmpty || use.isPrediction
            {
                return differences
            }
            let absent = KeyTable.byPath[key].flatMap { $0.recordsDefault ? nil : $0.standard } ?? "absent"
            return ["\(key) was \(was[key] ?? absent) and is \(now[key] ?? absent)"]
        }
    }

    private func line(_ key: Key) -> String {
        let value = key.path == "tasks" ? TaskReading.withoutPaths(values["tasks"]) : values[key.path]
        return "\(key.path): \((value ?? .null).yaml)"
    }

    /// Whether a key is in the records of runs, given the values of all keys.
    private func isRecorded(_ key: Key) -> Bool {
        applies(key) && (key.recordsDefault || (values[key.path] ?? .null).yaml != key.standard)
    }

    /// Whether a key has an effect given the values of the others.
    func applies(_ key: Key) -> Bool {
        if key.path == "lora.rank", hasLoraKeys {
            return values["lora.rankA"] == .null || values["lora.rankB"] == .null
        }
        if key.path == "init.newTask" { return origin != nil }
        return KeyTable.owners[Self.section(key.path)]?.contains(method) ?? true
    }
}
