import Failures
import OrderedCollections
import Yams

/// Reads the list of tasks: each item is the name of a task of GLUE or SuperGLUE, or a mapping.
enum TaskReading {
    static let glue = ["cola", "sst2", "mrpc", "qqp", "stsb", "mnli", "qnli", "rte", "wnli"]
    /// None of them is kept from a task of the user's own, which is a mapping.
    static let superglue = ["boolq", "cb", "copa", "multirc", "superglue_rte", "wic", "wsc"]
    /// The names under which the figures of the two halves of MNLI are reported.
    static let reserved = ["mnli_matched", "mnli_mismatched"]
    /// The keys with a task's files.
    static let files = ["train", "validation", "test"]
    private static let keys = [
        "name", "format", "header", "columns", "train", "validation", "test", "holdOut", "fields", "template", "label",
        "labels", "range", "metrics", "positive", "target", "group",
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
            guard glue.contains(name) || superglue.contains(name) else { throw refusal(of: name, place) }
            return (name, .text(name))
        }
        guard let mapping = item.mapping else {
            throw Failure(.badConfiguration, "\(place): a task must be a name or a mapping")
        }
        let value = try custom(mapping, place, directory)
        guard case .mapping(let values) = value, case .text(let name)? = values["name"] else {
            throw Failure(.badConfiguration, "\(place): a custom task needs a name")
        }
        return (name, value)
    }

    private static func refusal(of name: String, _ place: String) -> Failure {
        guard name != "record" else {
            return Failure(
                .badConfiguration,
                "\(place): SuperGLUE's ReCoRD is not built in, since several answers to a question are right; make a file with a row "
                    + "for each question, and describe it as a mapping with name, train, fields and what the answers are"
            )
        }
        let hint = UnknownKey.nearest(to: name, among: glue + superglue) { $0 }.map { "; did you mean \($0)?" } ?? ""
        return Failure(
            .badConfiguration,
            "\(place): task \(name) is none of GLUE's\(hint) (\(glue.joined(separator: ", "))) or SuperGLUE's "
                + "(\(superglue.joined(separator: ", "))); describe your own as a mapping with name, train, fields and labels, "
                + "range or target")
    }

    private static func custom(_ mapping: Node.Mapping, _ place: String, _ directory: String) throws(Failure) -> Value {
        var values = Value.Mapping()
        for (keyNode, node) in mapping {
            let key = keyNode.string ?? ""
            let here = Self.place(keyNode, place)
            guard keys.contains(key) else {
                let hint = UnknownKey.nearest(to: key, among: keys) { $0 }.map { "; did you mean \($0)?" } ?? ""
                throw Failure(
                    .badConfiguration,
                    "\(here): key \(key) of a task is unknown\(hint); allowed: \(keys.joined(separator: ", "))")
            }
            values[key] = try value(key, node, here, directory)
        }
        values.updateValue(try format(values, place), forKey: "format", insertingAt: 0)
        try TaskChecks.check(values, place)
        return .mapping(values)
    }

    private static func value(
        _ key: String, _ node: Node, _ place: String, _ directory: String
    ) throws(Failure) -> Value {
        func read(_ kind: Key.Kind) throws(Failure) -> Value {
            try Key("\(key) of a task", kind, nil, "").read(Layer.Leaf(node: node, place: place), directory: directory)
        }
        switch key {
        case "name":
            let name = try name(node, place)
            if let problem = CustomTask.problem(ofName: name) {
                throw Failure(.badConfiguration, "\(place): \(problem)")
            }
            return .text(name)
        case "template", "label", "positive", "target", "group": return try read(.text)
        case _ where files.contains(key): return try read(.path)
        case "format": return try read(.choice(CustomTask.Format.allCases.map(\.rawValue)))
        case "header": return try read(.flag)
        case "holdOut": return try holdOut(node, place, read)
        case "metrics": return try read(.subset(TaskChecks.metrics))
        case "columns", "fields": return try texts(key, node, place)
        case "labels": return try labels(node, place)
        default: return try range(node, place)
        }
    }

    /// A name that a task may have.
    static func name(_ node: Node, _ place: String) throws(Failure) -> String {
        guard let name = node.string, CustomTask.isName(name) else {
            throw Failure(.badConfiguration, "\(place): \(CustomTask.namesAre)")
        }
        return name
    }

    /// A number of validation rows, or a mapping with the numbers of validation and test rows.
    private static func holdOut(
        _ node: Node, _ place: String, _ read: (Key.Kind) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let rows = Key.Kind.integer(1...10_000_000)
        guard let mapping = node.mapping else { return try read(rows) }
        let keys = ["validation", "test"]
        guard mapping.count == keys.count, keys.allSatisfy({ mapping[$0] != nil }) else {
            throw Failure(
                .badConfiguration,
                "\(place): holdOut is a number of validation rows, or a mapping with the rows of both validation and test, such as "
                    + "{validation: 100, test: 100}")
        }
        var values = Value.Mapping()
        for key in keys {
            guard let node = mapping[key] else { continue }
            values[key] = try Key("holdOut.\(key) of a task", rows, nil, "").read(
                Layer.Leaf(node: node, place: place), directory: "")
        }
        return .mapping(values)
    }

    static func texts(_ key: String, _ node: Node, _ place: String) throws(Failure) -> Value {
        let texts = node.sequence?.compactMap(\.string) ?? []
        guard let items = node.sequence, !texts.isEmpty, texts.count == items.count, Set(texts).count == texts.count
        else {
            throw Failure(.badConfiguration, "\(place): \(key) must be a list of different names")
        }
        return .list(texts.map(Value.text))
    }

    /// A list of labels that are their own answers, or a mapping from file label to answer; their order is that of the classes.
    private static func labels(_ node: Node, _ place: String) throws(Failure) -> Value {
        var answers = Value.Mapping()
        if let items = node.sequence {
            for item in items {
                guard let text = item.scalar?.string, answers.updateValue(.text(text), forKey: text) == nil else {
                    throw labelRefusal(place)
                }
            }
        } else if let mapping = node.mapping {
            for (key, value) in mapping {
                guard let label = key.scalar?.string, let answer = value.scalar?.string,
                    answers.updateValue(.text(answer), forKey: label) == nil
                else { throw labelRefusal(place) }
            }
        }
        let distinct = Set(answers.values.map { $0.yaml })
        guard answers.count >= 2, distinct.count == answers.count else { throw labelRefusal(place) }
        return .mapping(answers)
    }

    private static func labelRefusal(_ place: String) -> Failure {
        Failure(
            .badConfiguration,
            "\(place): labels must be a list of at least two different labels, or a mapping from each label of the files "
                + "to its own answer text")
    }

    /// The given format, or the one that the training file's name ends with.
    private static func format(_ values: Value.Mapping, _ place: String) throws(Failure) -> Value {
        if let format = values["format"] { return format }
        guard case .text(let path)? = values["train"] else { return .text("tsv") }
        let plain = path.hasSuffix(".gz") ? String(path.dropLast(3)) : path
        for format in CustomTask.Format.allCases where plain.hasSuffix("." + format.rawValue) {
            return .text(format.rawValue)
        }
        throw Failure(
            .badConfiguration,
            "\(place): the format of \(path) does not show in its name; add format: tsv, csv or jsonl")
    }

    private static func range(_ node: Node, _ place: String) throws(Failure) -> Value {
        let numbers = node.sequence?.compactMap { $0.scalar.flatMap { Double($0.string) } } ?? []
        guard numbers.count == 3, numbers.allSatisfy(\.isFinite), numbers[0] < numbers[1], numbers[2] > 0,
            divides(numbers[2], numbers[1] - numbers[0])
        else {
            throw Failure(
                .badConfiguration,
                "\(place): range must be [minimum, maximum, step] with minimum < maximum and a step that divides it")
        }
        return .list(numbers.map(Value.number))
    }

    /// Whether the span is a whole number of steps, as far as binary fractions can tell.
    private static func divides(_ step: Double, _ span: Double) -> Bool {
        let count = span / step
        return count >= 1 && abs(count - count.rounded()) < 1e-6 * count
    }

    /// The tasks without the paths of their files; each custom task's keys are in the order of the reference.
    static func withoutPaths(_ tasks: Value?) -> Value {
        guard case .list(let items)? = tasks else { return .null }
        return .list(
            items.map { item in
                guard case .mapping(let parts) = item else { return item }
                let kept = keys.filter { !files.contains($0) }
                return .mapping(
                    Value.Mapping(
                        uniqueKeysWithValues: kept.compactMap { key in
                            parts[key].map { (key, $0) }
                        }))
            })
    }

    private static func place(_ node: Node, _ outer: String) -> String {
        guard let colon = outer.lastIndex(of: ":"), !outer.hasPrefix("--set"), let mark = node.mark else {
            return outer
        }
        return "\(outer[..<colon]):\(mark.line)"
    }
}

extension CustomTask {
    static let namesAre = "a task's name is made of letters, digits, _ and -"

    static func isName(_ text: String) -> Bool { text.wholeMatch(of: #/[A-Za-z0-9_\-]+/#) != nil }

    /// Why a task of the user's own cannot have a name, as a part of a sentence; nil if it can.
    public static func problem(ofName name: String) -> String? {
        guard isName(name) else { return namesAre }
        let owner: String? =
            TaskReading.glue.contains(name) ? "a task" : TaskReading.reserved.contains(name) ? "a split" : nil
        return owner.map { "\(name) is \($0) of GLUE; give a task of your own another name" }
    }
}
