import Configuration
package import Failures
import Foundation
import Yams

extension StudyFile {
    private static let keys = [
        "run", "config", "set", "rows", "grid", "seeds", "reference", "parallel", "threads",
    ]
    private static let rowKeys = ["name", "set", "tasks", "budget", "from"]

    /// Reads a study from a text; `name` stands for the file in messages.
    package init(yaml: String, name: String, directory: String) throws(Failure) {
        self.name = name
        self.directory = directory
        guard let root = try YAMLFile.mapping(yaml, name: name, reference: "docs/studies.md") else {
            throw Failure(.badConfiguration, "\(name): the file is empty; see docs/studies.md")
        }
        for (keyNode, node) in root {
            let key = keyNode.string ?? ""
            let place = Self.place(keyNode, name)
            switch key {
            case "run": base = .file(try path(node, place))
            case "config":
                base = .inline(
                    try Settings(
                        Self.mapping(node, "config", place), name: name, directory: directory, isShared: true))
            case "set":
                shared = try Settings(
                    Self.mapping(node, "set", place), name: name, directory: directory, isShared: true)
            case "rows": rows = try rows(node, place)
            case "grid": axes = try axes(Self.mapping(node, "grid", place))
            case "seeds": (seeds, hasSeeds) = (try Self.seeds(node, place), true)
            case "reference":
                guard let text = node.scalar?.string, !text.isEmpty else {
                    throw Failure(.badConfiguration, "\(place): reference must be the name of a row")
                }
                reference = (text, place)
            case "parallel": parallel = try Self.count(node, "parallel", place)
            case "threads": threads = try Self.count(node, "threads", place)
            default: throw Self.unknown(key, of: "a study", Self.keys, place)
            }
        }
        if root["run"] != nil, root["config"] != nil {
            throw Failure(
                .badConfiguration,
                "\(name): run and config cannot be given together; name a run's file or write its keys, and remove the other"
            )
        }
        guard !rows.isEmpty else {
            throw Failure(
                .badConfiguration, "\(name): key rows is missing; list at least one row, as in docs/studies.md")
        }
        try refuseOwnKeys()
        try checkOrigins()
    }

    private func path(_ node: Node, _ place: String) throws(Failure) -> String {
        guard let text = node.scalar?.string, !text.isEmpty else {
            throw Failure(.badConfiguration, "\(place): run must be the path of a run's configuration")
        }
        return URL(fileURLWithPath: text, relativeTo: URL(fileURLWithPath: directory, isDirectory: true))
            .standardizedFileURL.path
    }

    private func rows(_ node: Node, _ place: String) throws(Failure) -> [Row] {
        guard let items = node.sequence, !items.isEmpty else {
            throw Failure(.badConfiguration, "\(place): rows must be a list of rows, each with a name")
        }
        var rows: [Row] = []
        for item in items {
            let here = Self.place(item, name)
            let row = try row(Self.mapping(item, "a row", here), here)
            if let earlier = rows.first(where: { $0.name.lowercased() == row.name.lowercased() }) {
                throw Failure(
                    .badConfiguration,
                    "\(row.place): row \(row.name) is there twice, first at \(earlier.place); give one of them another name"
                )
            }
            rows.append(row)
        }
        return rows
    }

    private func row(_ mapping: Node.Mapping, _ place: String) throws(Failure) -> Row {
        var row = Row(name: "", place: place)
        for (keyNode, node) in mapping {
            let key = keyNode.string ?? ""
            let here = Self.place(keyNode, name)
            switch key {
            case "name":
                guard let text = node.scalar?.string, text.wholeMatch(of: #/[A-Za-z0-9_+*][A-Za-z0-9_+*.\-]*/#) != nil
                else {
                    throw Failure(
                        .badConfiguration,
                        "\(here): a row's name is made of letters, digits, _, +, *, - and ., and starts with none of the last two"
                    )
                }
                row.name = text
            case "set": row.settings = try Settings(Self.mapping(node, "set", here), name: name, directory: directory)
            case "tasks": row.tasks = try Self.tasks(node, here)
            case "budget":
                guard let text = node.scalar?.string, ["equal", "own"].contains(text) else {
                    throw Failure(
                        .badConfiguration, "\(here): budget must be one of equal, own, not \(Self.shown(node))")
                }
                row.hasOwnBudget = text == "own"
            case "from":
                guard let text = node.scalar?.string, !text.isEmpty else {
                    throw Failure(.badConfiguration, "\(here): from must be the name of another row")
                }
                // Every run gets a path of its own later.
                let settings = try Settings(key: Self.originKey, Node("origin"), place: here, directory: directory)
                row.origin = Row.Origin(name: text, settings: settings, place: here)
            default: throw Self.unknown(key, of: "a row", Self.rowKeys, here)
            }
        }
        guard !row.name.isEmpty else {
            throw Failure(.badConfiguration, "\(place): a row needs a name; add name: NAME")
        }
        return row
    }

    private static func tasks(_ node: Node, _ place: String) throws(Failure) -> Tasks {
        if let text = node.scalar?.string, let tasks = ["all": Tasks.all, "each": .each][text] { return tasks }
        let names = node.sequence?.compactMap(\.scalar?.string) ?? []
        guard !names.isEmpty, names.count == node.sequence?.count, Set(names).count == names.count else {
            throw Failure(
                .badConfiguration,
                "\(place): tasks must be all, each (a run for each task) or a list of different task names, not \(shown(node))"
            )
        }
        return .some(names)
    }

    private func axes(_ mapping: Node.Mapping) throws(Failure) -> [Axis] {
        var axes: [Axis] = []
        for (keyNode, node) in mapping {
            let (key, here) = (keyNode.string ?? "", Self.place(keyNode, name))
            guard let items = node.sequence, !items.isEmpty else {
                throw Failure(
                    .badConfiguration, "\(here): grid needs a list of values for \(key), as in lora.rank: [2, 4, 8]")
            }
            var axis = Axis(key: key, values: [], place: here)
            for item in items {
                let place = Self.place(item, name)
                let settings = try Settings(key: key, item, place: place, directory: directory)
                axis.key = settings.keys.first ?? key
                let label = Self.text(item)
                guard !axis.values.contains(where: { $0.label == label }) else {
                    throw Failure(.badConfiguration, "\(place): grid has \(label) twice for \(key); keep one of them")
                }
                let plain = String(
                    label.map { $0.isASCII && ($0.isLetter || $0.isNumber || "-.".contains($0)) ? $0 : "_" })
                let isTaken = axis.values.contains { $0.fileName.lowercased() == plain.lowercased() }
                axis.values.append(
                    Axis.Entry(
                        label: label, fileName: isTaken ? "\(plain)_\(axis.values.count + 1)" : plain,
                        settings: settings))
            }
            axes.append(axis)
        }
        return axes
    }

    /// The study's own keys for seeds and threads are the only ones.
    private func refuseOwnKeys() throws(Failure) {
        let settings =
            [shared].compactMap(\.self) + rows.compactMap(\.settings) + axes.flatMap { $0.values.map(\.settings) }
        if let place = settings.lazy.compactMap({ $0.place(of: "train.seed") }).first {
            throw Failure(
                .badConfiguration,
                "\(place): the seeds of a study are its key seeds, as in seeds: [1, 2, 3]; remove train.seed")
        }
        if let place = settings.lazy.compactMap({ $0.place(of: "parallel.threads") }).first {
            throw Failure(
                .badConfiguration,
                "\(place): parallel.threads is the same for all runs of a study; use the key threads, as in threads: 2")
        }
    }

    private static func seeds(_ node: Node, _ place: String) throws(Failure) -> [Int] {
        let seeds = node.sequence?.compactMap { $0.scalar.flatMap { Int($0.string) } } ?? []
        guard !seeds.isEmpty, seeds.count == node.sequence?.count, Set(seeds).count == seeds.count,
            seeds.allSatisfy({ $0 >= 0 })
        else {
            throw Failure(
                .badConfiguration, "\(place): seeds must be a list of different whole numbers from 0, as in [1, 2, 3]")
        }
        return seeds
    }

    private static func count(_ node: Node, _ key: String, _ place: String) throws(Failure) -> Int {
        guard let count = node.scalar.flatMap({ Int($0.string) }), (1...1024).contains(count) else {
            throw Failure(
                .badConfiguration, "\(place): \(key) must be a whole number from 1 to 1024, not \(shown(node))")
        }
        return count
    }

    private static func mapping(_ node: Node, _ key: String, _ place: String) throws(Failure) -> Node.Mapping {
        guard let mapping = node.mapping else {
            throw Failure(.badConfiguration, "\(place): \(key) must be a mapping of keys; see docs/studies.md")
        }
        return mapping
    }

    private static func unknown(_ key: String, of owner: String, _ keys: [String], _ place: String) -> Failure {
        let hint = UnknownKey.nearest(to: key, among: keys) { $0 }.map { "; did you mean \($0)?" } ?? ""
        return Failure(
            .badConfiguration,
            "\(place): key \(key) of \(owner) is unknown\(hint); allowed: \(keys.joined(separator: ", "))")
    }

    private static func place(_ node: Node, _ name: String) -> String { node.mark.map { "\(name):\($0.line)" } ?? name }

    private static func shown(_ node: Node) -> String {
        if let scalar = node.scalar { return scalar.string.isEmpty ? "nothing" : "`\(scalar.string)`" }
        return node.sequence != nil ? "a list" : "a mapping"
    }

    /// A value in one line.
    private static func text(_ node: Node) -> String {
        if let scalar = node.scalar { return scalar.string }
        if let items = node.sequence { return "[" + items.map(text).joined(separator: ", ") + "]" }
        let pairs = node.mapping?.map { "\(text($0.key)): \(text($0.value))" } ?? []
        return "{" + pairs.joined(separator: ", ") + "}"
    }
}
