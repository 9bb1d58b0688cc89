import Failures
import OrderedCollections

/// Refuses values that are impossible together in a custom task. The task itself later checks templates against the files.
enum TaskChecks {
    /// The figures of classifications, regressions and free text.
    private static let figures = [
        ["accuracy", "f1", "matthews", "macro_f1", "group_exact_match"], ["pearson", "spearman"],
        ["exact_match", "token_f1", "rouge_l", "bleu"],
    ]
    /// All figures.
    static let metrics = figures.flatMap(\.self)

    /// - Parameters:
    ///   - values: The task's keys, each of the right type.
    ///   - place: Where the task is defined, for messages.
    static func check(_ values: Value.Mapping, _ place: String) throws(Failure) {
        func refusal(_ sentence: String) -> Failure { Failure(.badConfiguration, "\(place): \(sentence)") }
        for key in ["name", "train", "fields"] where values[key] == nil {
            throw refusal("a custom task needs \(key)")
        }
        guard ["labels", "range", "target"].count(where: { values[$0] != nil }) == 1 else {
            throw refusal(
                "a custom task needs either labels (classification) or range (regression) or target (free text)")
        }
        if values["target"] != nil, values["label"] != nil {
            throw refusal("label is the field of labels or range, and target that of free text; remove label")
        }
        if values["format"] == .text("jsonl"), let key = ["header", "columns"].first(where: { values[$0] != nil }) {
            throw refusal("\(key) is for TSV and CSV files, and this task's are JSONL; remove it")
        }
        let isBare = values["header"] == .flag(false)
        if isBare, values["columns"] == nil {
            throw refusal("a file without header needs columns, their names in order")
        }
        if !isBare, values["columns"] != nil {
            throw refusal("columns names the columns of files without header; add header: false, or remove it")
        }
        if values["validation"] != nil, values["holdOut"] != nil {
            throw refusal("a task has either a validation file or holdOut; remove one of them")
        }
        if values["test"] != nil, case .mapping? = values["holdOut"] {
            throw refusal(
                "a task has either a test file or test rows in holdOut; write holdOut: N for validation rows alone")
        }
        if values["validation"] == nil, values["test"] != nil, values["holdOut"] == nil {
            throw refusal("give a validation file or holdOut, the training rows that become validation")
        }
        try checkNames(values, place)
        try checkMetrics(values, place)
    }

    /// Known columns must include the fields and the label; a template must name fields.
    private static func checkNames(_ values: Value.Mapping, _ place: String) throws(Failure) {
        let fields = values["fields"]?.texts ?? []
        let columns = values["columns"]?.texts ?? []
        func text(_ key: String) -> String? {
            if case .text(let given)? = values[key] { return given }
            return nil
        }
        let kind = values["target"] == nil ? "label" : "target"
        let label = text(kind) ?? "label"
        guard !fields.contains(label) else {
            throw Failure(
                .badConfiguration,
                "\(place): \(label) is both a field and the \(kind), so that the answer would stand in the question; remove it "
                    + "from fields, or name another \(kind)")
        }
        let named = fields + [label] + [text("group")].compactMap(\.self)
        if !columns.isEmpty, let missing = named.first(where: { !columns.contains($0) }) {
            throw Failure(
                .badConfiguration, "\(place): \(missing) is none of the columns \(columns.joined(separator: ", "))")
        }
        guard case .text(let template)? = values["template"] else { return }
        // Doubled braces are plain text.
        let bare = template.replacing("{{", with: "").replacing("}}", with: "")
        let placeholders = bare.matches(of: #/\{([^{}]*)\}/#).map { String($0.1) }
        let known = fields.map { "{\($0)}" }.joined(separator: ", ")
        if let unknown = placeholders.first(where: { !fields.contains($0) }) {
            throw Failure(
                .badConfiguration, "\(place): the template names {\(unknown)}, which is no field; use \(known)")
        }
        if placeholders.isEmpty || bare.replacing(#/\{[^{}]*\}/#, with: "").contains(where: { "{}".contains($0) }) {
            throw Failure(
                .badConfiguration,
                "\(place): the template needs at least one field in closed braces; use \(known), and {{ for a brace itself"
            )
        }
    }

    private static func checkMetrics(_ values: Value.Mapping, _ place: String) throws(Failure) {
        let chosen = values["metrics"]?.texts ?? []
        if case .text(let positive)? = values["positive"] {
            guard chosen.contains("f1") else {
                throw Failure(
                    .badConfiguration,
                    "\(place): positive names the label that f1 is of, and metrics does not name f1; add it, or remove positive"
                )
            }
            if case .mapping(let labels)? = values["labels"], labels[positive] == nil {
                throw Failure(
                    .badConfiguration,
                    "\(place): positive names \(positive), which is none of the labels \(labels.keys.joined(separator: ", "))"
                )
            }
        }
        guard values["metrics"] != nil else { return }
        let allowed = figures[values["target"] != nil ? 2 : values["range"] != nil ? 1 : 0]
        guard !chosen.isEmpty, chosen.allSatisfy(allowed.contains) else {
            let lists = figures.map { $0.joined(separator: ", ") }
            throw Failure(
                .badConfiguration,
                "\(place): metrics of a classification are \(lists[0]); of a regression \(lists[1]); of free text \(lists[2])"
            )
        }
        if chosen.contains("group_exact_match"), values["group"] == nil {
            throw Failure(
                .badConfiguration,
                "\(place): group_exact_match needs group, the field whose value rows that belong together share; add it"
            )
        }
        if chosen.contains("f1"), case .mapping(let labels)? = values["labels"], labels.count != 2 {
            throw Failure(
                .badConfiguration,
                "\(place): f1 is for two labels, of which positive names one, and there are \(labels.count)")
        }
    }
}
