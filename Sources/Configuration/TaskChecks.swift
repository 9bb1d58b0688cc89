import Failures
import OrderedCollections

/// Refuses values that are impossible together in a custom task. The task itself later checks templates against the files.
enum TaskChecks {
    /// - Parameters:
    ///   - values: The task's keys, each of the right type.
    ///   - place: Where the task is defined, for messages.
    static func check(_ values: Value.Mapping, _ place: String) throws(Failure) {
        func refusal(_ sentence: String) -> Failure { Failure(.badConfiguration, "\(place): \(sentence)") }
        for key in ["name", "train", "fields"] where values[key] == nil {
            throw refusal("a custom task needs \(key)")
        }
        guard (values["labels"] == nil) != (values["range"] == nil) else {
            throw refusal("a custom task needs either labels (classification) or range (regression)")
        }
        if values["format"] == .text("jsonl"), let key = ["header", "columns"].first(where: { values[$0] != nil }) {
            throw refusal("\(key) is for TSV files, and this task's are JSONL; remove it")
        }
        let isBare = values["header"] == .flag(false)
        if isBare, values["columns"] == nil {
            throw refusal("a TSV file without header needs columns, their names in order")
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
        var label = "label"
        if case .text(let given)? = values["label"] { label = given }
        guard !fields.contains(label) else {
            throw Failure(
                .badConfiguration,
                "\(place): \(label) is both a field and the label, so that the answer would stand in the question; remove it "
                    + "from fields, or name another label")
        }
        if !columns.isEmpty, let missing = (fields + [label]).first(where: { !columns.contains($0) }) {
            throw Failure(
                .badConfiguration, "\(place): \(missing) is none of the columns \(columns.joined(separator: ", "))")
        }
        guard case .text(let template)? = values["template"] else { return }
        // Doubled braces are plain text.
        let bare = template.replacing("{{", with: "").replacing("}}", with: "")
        let named = bare.matches(of: #/\{([^{}]*)\}/#).map { String($0.1) }
        let known = fields.map { "{\($0)}" }.joined(separator: ", ")
        if let unknown = named.first(where: { !fields.contains($0) }) {
            throw Failure(
                .badConfiguration, "\(place): the template names {\(unknown)}, which is no field; use \(known)")
        }
        if named.isEmpty || bare.replacing(#/\{[^{}]*\}/#, with: "").contains(where: { "{}".contains($0) }) {
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
        let allowed = values["range"] == nil ? ["accuracy", "f1", "matthews"] : ["pearson", "spearman"]
        guard !chosen.isEmpty, chosen.allSatisfy(allowed.contains) else {
            throw Failure(
                .badConfiguration,
                "\(place): metrics of a classification are accuracy, f1, matthews; of a regression pearson, spearman")
        }
        if chosen.contains("f1"), case .mapping(let labels)? = values["labels"], labels.count != 2 {
            throw Failure(
                .badConfiguration,
                "\(place): f1 is for two labels, of which positive names one, and there are \(labels.count)")
        }
    }
}
