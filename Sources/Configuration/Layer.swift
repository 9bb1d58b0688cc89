import Failures
import Yams

/// Values from one source, each with the place to name in a refusal.
struct Layer {
    /// A value as YAML gave it.
    struct Leaf {
        let node: Node
        /// `run.yaml:12`, `--set lora.rank=x` or the like.
        let place: String
        /// The value of the former key through which this value was given; nil for a key of today.
        var formerValue: String?
    }

    /// Key path to value.
    private(set) var leaves: [String: Leaf] = [:]

    /// Reads a YAML text; `name` is the file's name in messages. Refuses unknown and repeated keys.
    init(yaml: String, name: String) throws(Failure) {
        guard let mapping = try YAMLFile.mapping(yaml, name: name, reference: "docs/configuration.md") else { return }
        try add(mapping, prefix: "", name: name)
    }

    /// Reads a part of a YAML file that is like a run's file. Refuses unknown and repeated keys.
    init(_ mapping: Node.Mapping, name: String) throws(Failure) {
        try add(mapping, prefix: "", name: name)
    }

    /// One key with a value from a YAML file.
    init(key written: String, _ node: Node, place: String) throws(Failure) {
        let path = KeyTable.aliases[written] ?? written
        guard KeyTable.isKnown(path) else { throw UnknownKey.refusal(written, place) }
        try take(path, Leaf(node: node, place: place))
    }

    /// Reads one `--set key=value`.
    init(assignment: String) throws(Failure) {
        try self.init(assignment: assignment, place: "--set \(assignment)")
    }

    /// Reads `key=value`; `place` says where it was given.
    init(assignment: String, place: String) throws(Failure) {
        guard let equals = assignment.firstIndex(of: "=") else {
            throw Failure(.usage, "\(place): write --set key=value, e.g. --set lora.rank=4")
        }
        let written = String(assignment[..<equals])
        if KeyTable.sections.contains(where: { $0.name == written && !written.isEmpty }) {
            throw Failure(.usage, "\(place): \(written) is a section; set its keys one by one, as \(written).KEY=VALUE")
        }
        let path = KeyTable.aliases[written] ?? written
        guard KeyTable.isKnown(path) else { throw UnknownKey.refusal(path, place) }
        let text = String(assignment[assignment.index(after: equals)...])
        let node: Node
        do {
            node = try Yams.compose(yaml: text) ?? Node("null")
        } catch {
            throw Failure(.badConfiguration, "\(place): the value is not YAML; quote it if it holds special characters")
        }
        try take(path, Leaf(node: node, place: place))
    }

    /// Stores the value of a key. The value of a former key is stored as values of the keys into which it was split.
    private mutating func take(_ path: String, _ leaf: Leaf) throws(Failure) {
        let settings = try KeyTable.formerKey(path)?.settings(leaf)
        guard let settings else { return try put(path, leaf) }
        for setting in settings {
            try put(
                setting.path, Leaf(node: Node(setting.value), place: leaf.place, formerValue: leaf.node.string ?? ""))
        }
    }

    private mutating func put(_ path: String, _ leaf: Leaf) throws(Failure) {
        // For the YAML parser `lora.rank: 4` beside `lora: {rank: 8}` is not a repeated key.
        if let earlier = leaves[path] {
            let former = KeyTable.formerKey(of: path)
            try former?.refuseMixture(path, [earlier, leaf])
            let shown = leaf.formerValue == nil ? path : former?.path ?? path
            throw Failure(
                .badConfiguration,
                "\(leaf.place): key \(shown) is there twice, first at \(earlier.place); keep one of them")
        }
        leaves[path] = leaf
    }

    private mutating func add(_ mapping: Node.Mapping, prefix: String, name: String) throws(Failure) {
        for (key, node) in mapping {
            let place = key.mark.map { "\(name):\($0.line)" } ?? name
            guard let text = key.scalar?.string else {
                throw Failure(.badConfiguration, "\(place): a key must be text; see docs/configuration.md")
            }
            let written = prefix + text
            let path = KeyTable.aliases[written] ?? written
            // `model` is either a path, or a mapping with `path` and other keys.
            let isMapping = node.mapping != nil && prefix.isEmpty && Self.isSection(text)
            if KeyTable.isKnown(path) && !isMapping {
                try take(path, Leaf(node: node, place: place))
            } else if prefix.isEmpty, Self.isSection(text) {
                if let section = node.mapping {
                    try add(section, prefix: text + ".", name: name)
                } else if node.scalar.map({ ["", "null", "~"].contains($0.string) }) != true {
                    throw Failure(.badConfiguration, "\(place): \(text) is a section; indent its keys below it")
                }
            } else {
                throw UnknownKey.refusal(path, place)
            }
        }
    }

    private static func isSection(_ text: String) -> Bool {
        !text.isEmpty
            && (KeyTable.sections.contains { $0.name == text }
                || KeyTable.aliases.keys.contains { $0.hasPrefix(text + ".") })
    }
}

extension Layer {
    /// A default as a leaf.
    static func standard(_ key: Key, _ text: String) throws(Failure) -> Leaf {
        do {
            return Leaf(node: try Yams.compose(yaml: text) ?? Node("null"), place: "default of \(key.path)")
        } catch {
            throw Failure(.internal, "the default of \(key.path) is not YAML")
        }
    }
}
