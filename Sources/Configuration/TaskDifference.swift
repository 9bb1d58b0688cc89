import Yams

/// Describes the difference between two lists of tasks in few words, because complete lists would fill a screen.
enum TaskDifference {
    /// The differences between the values of `tasks` in two texts, such as `task cb: metrics was [accuracy] and is [f1]`; nil
    /// when they cannot be found. `use` decides which of them count.
    static func all(from old: String, to new: String, for use: AdapterUse) -> [String]? {
        guard let before = tasks(old), let after = tasks(new) else { return nil }
        let (names, others) = (before.map(\.name), after.map(\.name))
        guard names == others else { return ["tasks was \(list(names)) and is \(list(others))"] }
        return zip(before, after).flatMap { old, new -> [String] in
            var keys: [String] = []
            for key in (new.parts + old.parts).map(\.key) where !keys.contains(key) { keys.append(key) }
            return keys.filter { use.depends(onTaskKey: $0, of: new.name) }.compactMap { key in
                let (was, now) = (value(of: key, in: old), value(of: key, in: new))
                return was == now ? nil : "task \(new.name): \(key) was \(was ?? "absent") and is \(now ?? "absent")"
            }
        }
    }

    private typealias Task = (name: String, parts: [(key: String, value: Node)])

    private static func tasks(_ text: String) -> [Task]? {
        guard let items = try? Yams.compose(yaml: text)?.sequence else { return nil }
        return items.map { item in
            let parts = item.mapping?.map { (key: $0.key.string ?? "", value: $0.value) } ?? []
            return (item.string ?? parts.first { $0.key == "name" }?.value.string ?? "", parts)
        }
    }

    private static func value(of key: String, in task: Task) -> String? {
        task.parts.first { $0.key == key }.map { text($0.value) }
    }

    private static func text(_ node: Node) -> String {
        if let items = node.sequence { return list(items.map(text)) }
        if let mapping = node.mapping {
            return "{" + mapping.map { "\(text($0.key)): \(text($0.value))" }.joined(separator: ", ") + "}"
        }
        return node.scalar?.string ?? ""
    }

    private static func list(_ items: [String]) -> String { "[" + items.joined(separator: ", ") + "]" }
}
