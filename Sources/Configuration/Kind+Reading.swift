import Failures
import Foundation
import OrderedCollections
import Yams

extension Key {
    /// Checks a node and returns its value; relative paths are relative to `directory`.
    func read(_ leaf: Layer.Leaf, directory: String) throws(Failure) -> Value {
        if case .tasks = kind { return try TaskReading.read(leaf, directory: directory) }
        guard let value = Self.value(leaf.node, kind, directory) else {
            throw Failure(.badConfiguration, "\(leaf.place): \(refusal(of: leaf.node, directory))")
        }
        return value
    }

    /// What is wrong with a node that has no valid value.
    private func refusal(of node: Node, _ directory: String) -> String {
        if let part = Self.wrongPart(of: node, kind) { return path + part }
        let plain = node.scalar.map { Node($0.string) }
        if Self.plain(node) == nil, let plain, Self.value(plain, kind, directory) != nil {
            return "\(path) must be \(kind.allowed), not the quoted text \(Self.shown(node)); remove the quotes"
        }
        if let number = Self.plain(node).flatMap(Double.init), number > 0, number.isFinite {
            if kind.isPositive {
                return
                    "\(path) is \(Self.shown(node)), which single precision cannot hold; use a number from 1.2e-38 to "
                    + "3.4e38"
            }
            if case .integer(let range) = kind, range.upperBound == .max, number == number.rounded() {
                return "\(path) must be \(kind.allowed) to \(Int.max), not \(Self.shown(node))"
            }
        }
        return "\(path) must be \(kind.allowed), not \(Self.shown(node))"
    }

    /// What is wrong inside a list or mapping, worded to follow the key's path; nil when it is not a list or mapping, or when
    /// nothing is wrong.
    private static func wrongPart(of node: Node, _ kind: Kind) -> String? {
        switch kind {
        case .subset(let words):
            guard let items = node.sequence else { return nil }
            var seen: Set<String> = []
            for item in items {
                guard let word = item.string, words.contains(word) else {
                    return " must be \(kind.allowed), and \(shown(item)) is none of them"
                }
                if !seen.insert(word).inserted { return " has \(word) twice; keep one of them" }
            }
            return nil
        case .targets:
            guard let mapping = node.mapping else { return nil }
            for (key, list) in mapping {
                guard let name = key.string, let leaves = targetLeaves.first(where: { $0.name == name })?.leaves else {
                    return " has no key \(shown(key)), only \(targetLeaves.map(\.name).joined(separator: ", "))"
                }
                let kind = Kind.subset(leaves)
                if let part = wrongPart(of: list, kind) { return ".\(name)" + part }
                if list.sequence == nil { return ".\(name) must be \(kind.allowed), not \(shown(list))" }
            }
            return nil
        default: return nil
        }
    }

    private static let attentionLeaves = ["q", "k", "v", "o"]
    /// The names that `lora.targets` may contain, in the order of its value.
    private static let targetLeaves = [
        (name: "encoderSelf", leaves: attentionLeaves), (name: "decoderSelf", leaves: attentionLeaves),
        (name: "decoderCross", leaves: attentionLeaves), (name: "feedForward", leaves: ["wi", "wi_0", "wi_1", "wo"]),
    ]

    private static func value(_ node: Node, _ kind: Kind, _ directory: String) -> Value? {
        switch kind {
        case .flag: return plain(node).flatMap { ["true": true, "false": false][$0] }.map(Value.flag)
        case .integer(let range): return integer(node).flatMap { range.contains($0) ? .integer($0) : nil }
        case .number(let range):
            return plain(node).flatMap(Double.init).flatMap { $0.isFinite && range.contains($0) ? .number($0) : nil }
        case .positive:
            return plain(node).flatMap(Double.init).flatMap { Float($0).isNormal && $0 > 0 ? .number($0) : nil }
        case .text: return isNull(node) ? nil : node.scalar.map { .text($0.string) }
        case .path:
            return node.scalar.flatMap {
                $0.string.isEmpty || isNull(node) ? nil : .text(absolute($0.string, directory))
            }
        case .choice(let words): return node.string.flatMap { words.contains($0) ? .text($0) : nil }
        case .subset(let words): return subset(node, words)
        case .duration: return duration(node)
        case .optional(let inner): return isNull(node) ? .null : value(node, inner, directory)
        case .word(let words, let inner):
            if let text = node.string, words.contains(text) { return .text(text) }
            // YAML has its own word for infinity.
            if words.contains("infinity"), [".inf", "inf"].contains(node.string ?? "") { return .text("infinity") }
            return value(node, inner, directory)
        case .positions: return positions(node)
        case .targets: return targets(node)
        case .tasks: return nil
        }
    }

    /// The text of an unquoted scalar.
    private static func plain(_ node: Node) -> String? {
        node.scalar.flatMap { $0.style == .plain || $0.style == .any ? $0.string : nil }
    }

    private static func integer(_ node: Node) -> Int? {
        guard let text = plain(node) else { return nil }
        if let integer = Int(text.filter { $0 != "_" }) { return integer }
        // People write large step counts as 1e5.
        return Double(text).flatMap { $0 == $0.rounded() && abs($0) < 0x1p53 ? Int($0) : nil }
    }

    private static func isNull(_ node: Node) -> Bool {
        plain(node).map { ["null", "~", "", "none"].contains($0) } ?? false
    }

    private static func subset(_ node: Node, _ words: [String]) -> Value? {
        guard let items = node.sequence else { return nil }
        let texts = items.compactMap(\.string)
        guard texts.count == items.count, Set(texts).count == texts.count, texts.allSatisfy(words.contains) else {
            return nil
        }
        return .list(texts.map(Value.text))
    }

    private static func duration(_ node: Node) -> Value? {
        guard let text = node.scalar?.string, let match = text.wholeMatch(of: #/([0-9.]+)\s*(s|m|h)?/#),
            let number = Double(match.1), number > 0, number < 1e9
        else { return nil }
        let unit: Double = ["m": 60, "h": 3600][match.2.map(String.init) ?? "s"] ?? 1
        return .number(number * unit)
    }

    private static func positions(_ node: Node) -> Value? {
        guard let text = node.string else { return nil }
        if ["perSite", "modulo(twiceBlocks)"].contains(text) { return .text(text) }
        guard let match = text.wholeMatch(of: #/modulo\((\d+)\)/#), let p = Int(match.1), (1...65536).contains(p) else {
            return nil
        }
        return .text("modulo(\(p))")
    }

    private static func targets(_ node: Node) -> Value? {
        guard let mapping = node.mapping else { return nil }
        // Every attention occurs in the value, in this order, whatever the order in the file.
        var values = Value.Mapping(uniqueKeysWithValues: targetLeaves.map { ($0.name, .list([])) })
        for (key, list) in mapping {
            guard let name = key.string, let allowed = targetLeaves.first(where: { $0.name == name })?.leaves,
                let value = subset(list, allowed)
            else { return nil }
            values[name] = value
        }
        return .mapping(values)
    }

    static func absolute(_ path: String, _ directory: String) -> String {
        if path.hasPrefix("/") { return path }
        if path == "~" || path.hasPrefix("~/") { return (path as NSString).expandingTildeInPath }
        return URL(fileURLWithPath: path, relativeTo: URL(fileURLWithPath: directory, isDirectory: true))
            .standardizedFileURL.path
    }

    /// A node as a short text for a refusal.
    static func shown(_ node: Node) -> String {
        if let scalar = node.scalar { return scalar.string.isEmpty ? "nothing" : "`\(scalar.string)`" }
        return node.sequence != nil ? "a list" : "a mapping"
    }
}
