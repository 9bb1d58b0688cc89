import Foundation
import OrderedCollections
import Yams

extension Key {
    /// The absolute forms of the paths in a value that are written relative to `directory`.
    func relativePaths(in leaf: Layer.Leaf, directory: String) -> Set<String> {
        var texts: [String] = []
        if kind.isPath { texts = [leaf.node.scalar?.string].compactMap(\.self) }
        if case .tasks = kind {
            for item in leaf.node.sequence ?? [] {
                texts += TaskReading.files.compactMap { item.mapping?[$0]?.scalar?.string }
            }
        }
        let relative = texts.filter { !$0.isEmpty && !$0.hasPrefix("/") && !$0.hasPrefix("~") }
        return Set(relative.map { Self.absolute($0, directory) })
    }
}

extension RunConfiguration {
    /// The value of a key in which the paths that the user wrote relative to some directory are relative to `directory`.
    func value(of key: Key, in directory: String?) -> Value {
        let value = values[key.path] ?? .null
        guard let directory, !relativePaths.isEmpty else { return value }
        func moved(_ value: Value) -> Value {
            guard case .text(let path) = value, relativePaths.contains(path) else { return value }
            return Self.relative(path, to: directory).map(Value.text) ?? value
        }
        if key.kind.isPath { return moved(value) }
        guard case .tasks = key.kind, case .list(let tasks) = value else { return value }
        return .list(
            tasks.map { task in
                guard case .mapping(var parts) = task else { return task }
                for name in TaskReading.files { parts[name] = parts[name].map(moved) }
                return .mapping(parts)
            })
    }

    /// A path from a directory to a file or directory that exists; nil where the two have no directory in common but the root, or
    /// where links lead the relative path elsewhere.
    static func relative(_ path: String, to directory: String) -> String? {
        let directory = Key.absolute(directory, FileManager.default.currentDirectoryPath)
        let (from, to) = (directory.split(separator: "/"), path.split(separator: "/"))
        let common = zip(from, to).prefix { $0 == $1 }.count
        guard common > 0 else { return nil }
        let parts = Array(repeating: "..", count: from.count - common) + to[common...].map(String.init)
        let relative = parts.isEmpty ? "." : parts.joined(separator: "/")
        // The system follows links before it goes up.
        guard let there = file(path), file(directory + "/" + relative) == there else { return nil }
        return relative
    }

    /// What tells a file from all others; nil where there is none.
    private static func file(_ path: String) -> [Int]? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        return [FileAttributeKey.systemNumber, .systemFileNumber].map { (attributes[$0] as? NSNumber)?.intValue ?? -1 }
    }
}
