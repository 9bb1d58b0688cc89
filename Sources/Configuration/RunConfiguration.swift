public import Failures
import Foundation

/// The checked configuration of a run: defaults, then a preset, then a file, then `--set`.
public struct RunConfiguration: Sendable, Equatable {
    /// Every key's value.
    let values: [String: Value]
    /// Notices for the user, one sentence each: defaults that were adapted to his values, and keys of his that have no effect.
    public let warnings: [String]
    /// The absolute forms of the paths that were written relative to some directory.
    var relativePaths: Set<String> = []

    /// Equal when all values are equal.
    public static func == (a: RunConfiguration, b: RunConfiguration) -> Bool { a.values == b.values }

    /// Reads a configuration.
    ///
    /// `file` may be nil when `--set` gives all keys without a default. Relative paths are relative to the file's directory,
    /// those of `--set` to the working directory. Throws `inputMissing` for a missing file, and `badConfiguration` with file,
    /// line and key for anything that is unknown, of the wrong type, out of range or impossible together.
    ///
    /// - Parameters:
    ///   - isOwn: whether the file is the user's. The values of a file that this program wrote are adapted to the user's,
    ///     like a preset's.
    ///   - options: command options that set a key, each as the user wrote it and as `key=value`; they override everything.
    ///   - isForUse: whether an adapter is used that was trained before, so that what decided its training is no choice any more.
    ///     Whether `parallel.gemm` can compute its products is then left to whoever knows the machine.
    public static func load(
        file: String?, isOwn: Bool = true, overrides: [String] = [],
        options: [(option: String, assignment: String)] = [], isForUse: Bool = false
    ) throws(Failure) -> RunConfiguration {
        var text = ""
        if let file {
            guard let data = FileManager.default.contents(atPath: file) else {
                throw Failure(
                    .inputMissing, "the configuration \(file) cannot be read; check the path given to --config")
            }
            guard let decoded = String(data: data, encoding: .utf8) else {
                throw Failure(.badConfiguration, "\(file): the file is not UTF-8; save it as UTF-8 text")
            }
            text = decoded
        }
        let name = file ?? "configuration"
        let directory = file.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path } ?? "."
        return try load(
            yaml: text, name: name, directory: directory, isOwn: isOwn, overrides: overrides, options: options,
            isForUse: isForUse)
    }

    /// Reads a configuration from a text; `name` stands for the file in messages.
    public static func load(
        yaml: String, name: String, directory: String, isOwn: Bool = true, overrides: [String] = [],
        options: [(option: String, assignment: String)] = [], isForUse: Bool = false
    ) throws(Failure) -> RunConfiguration {
        var settings: [Settings] = []
        let current = FileManager.default.currentDirectoryPath
        for override in overrides {
            settings.append(Settings(try Layer(assignment: override), directory: current, kind: .own))
        }
        for (option, assignment) in options {
            let layer = try Layer(assignment: assignment, place: option)
            settings.append(Settings(layer, directory: current, kind: .option))
        }
        return try load(
            yaml: yaml, name: name, directory: directory, isOwn: isOwn, settings: settings, isForUse: isForUse)
    }

    /// Reads a configuration from a text and from settings, of which later ones override earlier ones.
    package static func load(
        yaml: String, name: String, directory: String, isOwn: Bool = true, settings: [Settings],
        isForUse: Bool = false
    ) throws(Failure) -> RunConfiguration {
        let layers =
            [Settings(try Layer(yaml: yaml, name: name), directory: directory, kind: .shared)] + settings
        // A file of an earlier run that contains every key.
        let isResolved = yaml.hasPrefix(Self.resolvedHead)
        let formerNotices = try noticesOfFormerKeys(
            in: (isOwn && !isResolved ? layers[...] : layers.dropFirst()).filter { $0.kind != .option }.map(\.layer))
        guard let presetKey = KeyTable.byPath["preset"] else { preconditionFailure("preset is a key") }
        var preset = "paper"
        var presetPlace = name
        for settings in layers {
            guard let leaf = settings.layer.leaves["preset"] else { continue }
            if case .text(let chosen) = try presetKey.read(leaf, directory: settings.directory) { preset = chosen }
            presetPlace = leaf.place
        }
        let presetLayer = try Layer(yaml: Presets.yaml(preset), name: "preset \(preset)")
        var values: [String: Value] = [:]
        var places: [String: String] = [:]
        var inFile: Set<String> = []
        var own: Set<String> = []
        var relative: Set<String> = []
        for key in KeyTable.keys {
            if let standard = key.standard {
                let leaf = try Layer.standard(key, standard)
                values[key.path] = try key.read(leaf, directory: directory)
            }
            if let leaf = presetLayer.leaves[key.path] {
                // No place is stored: the user did not give the value.
                values[key.path] = try key.read(leaf, directory: directory)
            }
            for (index, settings) in layers.enumerated() {
                guard let leaf = settings.layer.leaves[key.path] else { continue }
                values[key.path] = try key.read(leaf, directory: settings.directory)
                places[key.path] = leaf.place
                relative.formUnion(key.relativePaths(in: leaf, directory: settings.directory))
                if settings.kind == .shared { inFile.insert(key.path) } else { inFile.remove(key.path) }
                if isOwn || index > 0 { own.insert(key.path) }
            }
        }
        // This comes last, so that a mistake in a known line is reported first.
        if let key = KeyTable.keys.first(where: { values[$0.path] == nil }) {
            throw Failure(
                .badConfiguration, "\(name): key \(key.path) is missing; it must be \(key.kind.allowed): \(key.purpose)"
            )
        }
        values["preset"] = .text(preset)
        places["preset"] = presetPlace
        let asked = RunConfiguration(values: values, warnings: [])
        let (yielded, notices) = asked.yielding(to: own)
        let configuration = RunConfiguration(values: yielded, warnings: [])
        // One file may serve for several methods: where an option chooses the method, the file's keys of other methods do nothing.
        let chosen = places["method"] != nil && !inFile.contains("method")
        let meant = own.filter { path in
            let owners = KeyTable.owners[Self.section(path)]
            return !(chosen && inFile.contains(path)) || owners?.contains(configuration.method) ?? true
        }
        try configuration.check(Places(name: name, byKey: places, inFile: inFile, own: meant, isForUse: isForUse))
        // In a resolved file, only keys that differ from their defaults say something.
        let said = own.filter { path in
            guard isResolved, inFile.contains(path), let key = KeyTable.byPath[path], let standard = key.standard else {
                return true
            }
            let usual = try? key.read(presetLayer.leaves[path] ?? Layer.standard(key, standard), directory: directory)
            return usual != values[path]
        }
        return RunConfiguration(
            values: yielded,
            warnings: formerNotices + notices + configuration.keysWithoutEffect(said)
                + [configuration.selectionWarning].compactMap(\.self),
            relativePaths: relative)
    }

    /// A sentence for each former key in the user's layers; refuses a former key beside a key into which it was split.
    private static func noticesOfFormerKeys(in layers: [Layer]) throws(Failure) -> [String] {
        var notices: [String] = []
        for former in KeyTable.formerKeys {
            for path in former.successors { try former.refuseMixture(path, layers.compactMap { $0.leaves[path] }) }
            if let path = former.successors.first, let notice = former.notice(layers.compactMap { $0.leaves[path] }) {
                notices.append(notice)
            }
        }
        return notices
    }

    static func section(_ path: String) -> String {
        let section = path.firstIndex(of: ".").map { String(path[..<$0]) } ?? ""
        return KeyTable.sections.contains { $0.name == section } ? section : ""
    }
}

/// Where keys were given, for messages.
struct Places {
    let name: String
    let byKey: [String: String]
    /// The keys whose values come from the file or from other text that several runs share.
    let inFile: Set<String>
    /// The keys that the user gave, not a preset or the program's own example.
    let own: Set<String>
    /// Whether the values are for the use of an adapter that was trained before.
    let isForUse: Bool

    /// A refusal of values that are impossible together, with that place.
    func refusal(_ keys: [String], _ sentence: String) -> Failure {
        Failure(.badConfiguration, "\(of(keys)): \(sentence)")
    }

    /// The place where the first of these keys was given: by an option, since the file may have been right without it, else by the
    /// file. Its name if none was.
    private func of(_ keys: [String]) -> String {
        let given = keys.filter { byKey[$0] != nil }
        return (given.first { !inFile.contains($0) } ?? given.first).flatMap { byKey[$0] } ?? name
    }
}
