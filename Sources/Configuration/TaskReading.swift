import Failures
import Yams

/// Reads the list of tasks: each item a GLUE name or a mapping.
enum TaskReading {
    static let glue = ["cola", "sst2", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli"]
    private static let metrics = ["accuracy", "f1", "matthews", "pearson", "spearman"]
    private static let keys = [
        "name", "format", "header", "columns", "train", "validation", "test", "holdOut", "fields", "template", "label",
        "labels", "range", "metrics",
    ]

    static func read(_ leaf: Layer.Leaf, directory: String) throws(Failure) -> Value {
        guard let items = leaf.node.sequence, !items.isEmpty else {
            throw Failure(.badConfiguration, "\(leaf.place): tasks must be \(Key.Kind.tasks.allowed), at least one")
        }
        var values: [Value] = []
        var names: Set<String> = []
        for item in items {
            let place = Self.place(item, leaf.place)
            let (name, value) = try entry(item, place, directory)
            guard names.insert(name).inserted else {
                throw Failure(.badConfiguration, "\(place): task \(name) is there twice; keep one of them")
            }
            values.append(value)
        }
        return .list(values)
    }

    private static func entry(_ item: Node, _ place: String, _ directory: String) throws(Failure) -> (String, Value) {
        if let name = item.string {
            guard glue.contains(name) else {
                throw Failure(
                    .badConfiguration,
                    "\(place): task \(name) is none of GLUE's (\(glue.joined(separator: ", "))); describe your own as a "
                        + "mapping with name, train, fields and labels or range")
            }
            return (name, .text(name))
        }
        guard let mapping = item.mapping else {
            throw Failure(.badConfiguration, "\(place): a task must be a name or a mapping")
        }
        let value = try custom(mapping, place, directory)
        guard case .mapping(_, let values) = value, case .text(let name)? = values["name"] else {
            throw Failure(.badConfiguration, "\(place): a custom task needs a name")
        }
        return (name, value)
    }

    private static func custom(_ mapping: Node.Mapping, _ place: String, _ directory: String) throws(Failure) -> Value {
        var order: [String] = []
        var values: [String: Value] = [:]
        for (keyNode, node) in mapping {
            let key = keyNode.string ?? ""
            let here = Self.place(keyNode, place)
            guard keys.contains(key) else {
                throw Failure(
                    .badConfiguration,
                    "\(here): key \(key) of a task is unknown; allowed: \(keys.joined(separator: ", "))")
            }
            order.append(key)
            values[key] = try value(key, node, here, directory)
        }
        try check(values, place)
        return .mapping(order, values)
    }

    private static func value(
        _ key: String, _ node: Node, _ place: String, _ directory: String
    ) throws(Failure) -> Value {
        func read(_ kind: Key.Kind) throws(Failure) -> Value {
            try Key("tasks.\(key)", kind, nil, "").read(Layer.Leaf(node: node, place: place), directory: directory)
        }
        switch key {
        case "name":
            guard let name = node.string, name.wholeMatch(of: #/[A-Za-z0-9_\-]+/#) != nil else {
                throw Failure(.badConfiguration, "\(place): a task's name is made of letters, digits, _ and -")
            }
            return .text(name)
        case "template", "label": return try read(.text)
        case "train", "validation", "test": return try read(.path)
        case "format": return try read(.choice(CustomTask.Format.allCases.map(\.rawValue)))
        case "header": return try read(.flag)
        case "holdOut": return try read(.integer(1...10_000_000))
        case "metrics": return try read(.subset(metrics))
        case "columns", "fields": return try texts(key, node, place)
        case "labels": return try labels(node, place)
        default: return try range(node, place)
        }
    }

    private static func texts(_ key: String, _ node: Node, _ place: String) throws(Failure) -> Value {
        let texts = node.sequence?.compactMap(\.string) ?? []
        guard let items = node.sequence, !texts.isEmpty, texts.count == items.count, Set(texts).count == texts.count
        else {
            throw Failure(.badConfiguration, "\(place): tasks.\(key) must be a list of different names")
        }
        return .list(texts.map(Value.text))
    }

    /// A list of labels that are their own answers, or a mapping from file label to answer; the order is the classes'.
    private static func labels(_ node: Node, _ place: String) throws(Failure) -> Value {
        var order: [String] = []
        var answers: [String: Value] = [:]
        if let items = node.sequence {
            for item in items {
                guard let text = item.scalar?.string else { continue }
                order.append(text)
                answers[text] = .text(text)
            }
        } else if let mapping = node.mapping {
            for (key, value) in mapping {
                guard let label = key.scalar?.string, let answer = value.scalar?.string else { continue }
                order.append(label)
                answers[label] = .text(answer)
            }
        }
        let distinct = Set(answers.values.map { $0.yaml })
        guard order.count >= 2, answers.count == order.count, distinct.count == order.count else {
            throw Failure(
                .badConfiguration,
                "\(place): tasks.labels must be a list of at least two different labels, or a mapping from each file label "
                    + "to its own answer text")
        }
        return .mapping(order, answers)
    }

    private static func range(_ node: Node, _ place: String) throws(Failure) -> Value {
        let numbers = node.sequence?.compactMap { $0.scalar.flatMap { Double($0.string) } } ?? []
        guard numbers.count == 3, numbers.allSatisfy(\.isFinite), numbers[0] < numbers[1], numbers[2] > 0,
            numbers[2] <= numbers[1] - numbers[0]
        else {
            throw Failure(
                .badConfiguration,
                "\(place): tasks.range must be [minimum, maximum, step] with minimum < maximum and a step that fits")
        }
        return .list(numbers.map(Value.number))
    }

    private static func check(_ values: [String: Value], _ place: String) throws(Failure) {
        for key in ["name", "train", "fields"] where values[key] == nil {
            throw Failure(.badConfiguration, "\(place): a custom task needs \(key)")
        }
        guard (values["labels"] == nil) != (values["range"] == nil) else {
            throw Failure(
                .badConfiguration, "\(place): a custom task needs either labels (classification) or range (regression)")
        }
        if values["header"] == .flag(false), values["columns"] == nil {
            throw Failure(.badConfiguration, "\(place): a TSV file without header needs columns, their names in order")
        }
        if values["validation"] == nil, values["test"] != nil, values["holdOut"] == nil {
            throw Failure(
                .badConfiguration,
                "\(place): give a validation file or holdOut, the training rows that become validation")
        }
        guard case .list(let chosen)? = values["metrics"] else { return }
        let correlations = chosen.filter { [.text("pearson"), .text("spearman")].contains($0) }
        let fits = values["range"] == nil ? correlations.isEmpty : correlations.count == chosen.count
        guard fits, !chosen.isEmpty else {
            throw Failure(
                .badConfiguration,
                "\(place): metrics of a classification are accuracy, f1, matthews; of a regression pearson, spearman")
        }
    }

    private static func place(_ node: Node, _ outer: String) -> String {
        guard let colon = outer.lastIndex(of: ":"), !outer.hasPrefix("--set"), let mark = node.mark else {
            return outer
        }
        return "\(outer[..<colon]):\(mark.line)"
    }
}
