public import Failures
import Foundation
import Yams

extension StandInTask {
    private static let keys = [
        "name", "as", "validation", "test", "format", "header", "columns", "ragged", "fields", "template", "label",
        "labels", "metrics", "positive",
    ]

    /// Reads a tasks file: a YAML file whose only key is `tasks`. Relative paths are relative to its directory.
    ///
    /// - Parameter trained: the names of the run's tasks.
    public static func load(file: String, trained: [String]) throws(Failure) -> [StandInTask] {
        guard let data = FileManager.default.contents(atPath: file), let text = String(data: data, encoding: .utf8)
        else {
            throw Failure(
                .inputMissing, "the tasks file \(file) cannot be read as UTF-8; check the path given to --tasks-file")
        }
        let directory = URL(fileURLWithPath: file).deletingLastPathComponent().path
        return try load(yaml: text, name: file, directory: directory, trained: trained)
    }

    static func load(
        yaml: String, name file: String, directory: String, trained: [String]
    ) throws(Failure) -> [StandInTask] {
        let root = try YAMLFile.mapping(yaml, name: file, reference: "docs/evaluating.md")
        if let other = root?.keys.first(where: { $0.string != "tasks" }) {
            throw Failure(
                .badConfiguration,
                "\(place(other, file)): a tasks file has the key tasks only, not \(other.string ?? "this"); give other keys with --set"
            )
        }
        guard let items = root?["tasks"]?.sequence, !items.isEmpty else {
            throw Failure(.badConfiguration, "\(file): tasks must be a list of mappings, each with a name and a file")
        }
        var tasks: [StandInTask] = []
        for item in items {
            let here = place(item, file)
            guard let mapping = item.mapping else {
                throw Failure(
                    .badConfiguration, "\(here): a task must be a mapping with a name and a validation or a test file")
            }
            let task = try StandInTask(mapping, here, file, directory)
            guard trained.contains(task.stands) else {
                let all = trained.joined(separator: ", ")
                throw Failure(
                    .badConfiguration,
                    task.isOther
                        ? "\(here): as names \(task.stands), which is none of the run's tasks (\(all))"
                        : "\(here): \(task.name) is none of the run's tasks (\(all)); say with as: TASK which of them it is to be "
                            + "answered as")
            }
            guard !task.isOther || !trained.contains(task.name) else {
                throw Failure(
                    .badConfiguration,
                    "\(here): the run has a task \(task.name) of its own, so its figures would be taken for those; give the task "
                        + "that stands as \(task.stands) another name")
            }
            guard !task.isOther || !TaskReading.reserved.contains(task.name) else {
                throw Failure(
                    .badConfiguration, "\(here): \(task.name) is a split of GLUE; give the task another name")
            }
            guard !tasks.contains(where: { $0.name == task.name }) else {
                throw Failure(.badConfiguration, "\(here): task \(task.name) is there twice; keep one of them")
            }
            tasks.append(task)
        }
        return tasks
    }

    private init(
        _ mapping: Node.Mapping, _ place: String, _ file: String, _ directory: String
    ) throws(Failure) {
        (name, stands, self.place) = ("", "", place)
        (columns, fields, labels, metrics, columnOfField, isRagged) = ([], [], [], [], [:], false)
        for (key, node) in mapping { try take(key.string ?? "", node, Self.place(key, file), directory) }
        guard !name.isEmpty else { throw Failure(.badConfiguration, "\(place): a task needs a name") }
        if stands.isEmpty { stands = name }
        try check()
    }

    private mutating func take(
        _ key: String, _ node: Node, _ place: String, _ directory: String
    ) throws(Failure) {
        func read(_ kind: Key.Kind) throws(Failure) -> Value {
            try Key("\(key) of a task", kind, nil, "").read(Layer.Leaf(node: node, place: place), directory: directory)
        }
        func text(_ kind: Key.Kind = .text) throws(Failure) -> String? {
            if case .text(let text) = try read(kind) { text } else { nil }
        }
        switch key {
        case "name": name = try TaskReading.name(node, place)
        case "as": stands = try TaskReading.name(node, place)
        case "validation": validation = try text(.path)
        case "test": test = try text(.path)
        case "template": template = try text()
        case "label": label = try text()
        case "positive": positive = try text()
        case "format":
            format = try text(.choice(CustomTask.Format.allCases.map(\.rawValue))).flatMap(CustomTask.Format.init)
        case "header": header = try read(.flag) == .flag(true)
        case "ragged": isRagged = try read(.flag) == .flag(true)
        case "metrics": metrics = try read(.subset(TaskChecks.metrics)).texts
        case "columns": columns = try TaskReading.texts(key, node, place).texts
        case "fields" where node.mapping != nil:
            columnOfField = Dictionary(uniqueKeysWithValues: try Self.texts(of: node, key, place))
        case "fields": fields = try TaskReading.texts(key, node, place).texts
        case "labels": labels = try Self.labels(node, place)
        case "train", "holdOut":
            throw Failure(
                .badConfiguration,
                "\(place): a task of this file is only evaluated, so it has no \(key); give its validation or test file"
            )
        case "range":
            throw Failure(
                .badConfiguration,
                "\(place): scores have the range of the run's task; remove range, or bring the file's scores to that range"
            )
        default:
            let hint = UnknownKey.nearest(to: key, among: Self.keys) { $0 }.map { "; did you mean \($0)?" } ?? ""
            throw Failure(
                .badConfiguration,
                "\(place): key \(key) of a task is unknown\(hint); allowed: \(Self.keys.joined(separator: ", "))")
        }
    }

    private func check() throws(Failure) {
        func refusal(_ sentence: String) -> Failure {
            Failure(.badConfiguration, "\(place): task \(name): \(sentence)")
        }
        guard validation != nil || test != nil else {
            throw refusal("give the file to evaluate, as validation or test")
        }
        let isBare = header == false
        if isBare, columns.isEmpty {
            throw refusal("a table without header needs columns, their names in order")
        }
        if !isBare, !columns.isEmpty {
            throw refusal("columns names the columns of files without header; add header: false, or remove it")
        }
        if format == .jsonl, header != nil {
            throw refusal("header and columns are for TSV and CSV files, and this task's are JSONL; remove them")
        }
        if isRagged, let format, format != .tsv {
            throw refusal("ragged is for TSV files, and this task's are \(format.rawValue); remove it")
        }
        if template != nil, !columnOfField.isEmpty {
            throw refusal(
                "a mapping of fields is for the run's template; with a template of its own, fields is a list of columns"
            )
        }
        if positive != nil, !metrics.isEmpty, !metrics.contains("f1") {
            throw refusal(
                "positive names the label that f1 is of, and metrics does not name f1; add it, or remove positive")
        }
    }

    /// The pairs of a mapping of texts.
    private static func texts(of node: Node, _ key: String, _ place: String) throws(Failure) -> [(String, String)] {
        var pairs: [(String, String)] = []
        for (name, value) in node.mapping ?? [:] {
            guard let name = name.scalar?.string, let value = value.scalar?.string else {
                throw Failure(.badConfiguration, "\(place): \(key) must be a mapping from text to text")
            }
            pairs.append((name, value))
        }
        return pairs
    }

    private static func labels(_ node: Node, _ place: String) throws(Failure) -> [Label] {
        let pairs: [(String, String)]
        if node.mapping != nil {
            pairs = try texts(of: node, "labels", place)
        } else {
            pairs = (node.sequence ?? []).compactMap { $0.scalar.map { ($0.string, $0.string) } }
        }
        guard !pairs.isEmpty, Set(pairs.map(\.0)).count == pairs.count, pairs.count >= node.sequence?.count ?? 0 else {
            throw Failure(
                .badConfiguration,
                "\(place): labels must be a list of different labels, or a mapping from each label of the files to its answer text"
            )
        }
        return pairs.map { Label(label: $0.0, answer: $0.1) }
    }

    private static func place(_ node: Node, _ file: String) -> String {
        node.mark.map { "\(file):\($0.line)" } ?? file
    }
}
