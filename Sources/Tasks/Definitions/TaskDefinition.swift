public import Failures
import Tensors

/// A text-to-text task: its files, how a row becomes source and target text, and how it is measured.
public struct TaskDefinition: Sendable, Equatable, Codable {
    /// The name; the default source text starts with it.
    public let name: String
    /// The format of all its files.
    public let format: TableFormat
    /// The texts of an example.
    public let fields: [Field]
    /// The column with the label or score, or with the answer of a task with free text.
    public let label: Column
    /// The column whose value rows of one group share, such as the answers to one question; nil without groups. Splits are cut
    /// between groups.
    public let group: Column?
    /// The source text.
    public let template: Template
    /// The answers.
    public let answers: AnswerSpace
    /// The labels of the files; empty for a task without classes.
    public let labels: LabelMap
    /// The figures that an evaluation computes.
    public let metrics: [Metric]
    /// The files' label of the class for which F1 is computed; nil for the default of `PositiveClass`.
    public let positive: String?
    /// The splits, including `train` unless the task is only evaluated.
    public let splits: [SplitDefinition]
    /// Whether rows with too few columns are left out and counted as incomplete, instead of being bad rows. QQP's files contain
    /// some, and GLUE's own reader leaves them out.
    public let leavesOutIncompleteRows: Bool
    /// The benchmark whose own files the task reads; nil for a task of the user's own.
    public let suite: TaskSuite?

    /// Creates and checks a definition; `badConfiguration` names the task and what is wrong.
    ///
    /// - Parameters:
    ///   - template: A custom source text; by default `<name> <field>: {field} <field>: {field}`.
    ///   - answers: Classes (then `labels` is needed), grades or free text.
    ///   - isTrained: Whether it must have training files; a task that is only evaluated or answered has none.
    public init(
        name: String, format: TableFormat, fields: [Field], label: Column, group: Column? = nil,
        template: String? = nil,
        answers: AnswerSpace, labels: LabelMap = LabelMap(entries: []), metrics: [Metric], positive: String? = nil,
        splits: [SplitDefinition], leavesOutIncompleteRows: Bool = false, suite: TaskSuite? = nil,
        isTrained: Bool = true
    ) throws(Failure) {
        self.name = name
        self.format = format
        self.fields = fields
        self.label = label
        self.group = group
        self.answers = answers
        self.labels = labels
        self.metrics = metrics
        self.positive = positive
        self.splits = splits
        self.leavesOutIncompleteRows = leavesOutIncompleteRows
        self.suite = suite
        do throws(Failure) {
            guard !fields.isEmpty else {
                throw Failure(.badConfiguration, "it has no text fields; name the columns that the model reads")
            }
            let names = fields.map(\.name)
            let pattern = template ?? Template.defaultPattern(task: name, fields: names)
            self.template = try Template(pattern, fields: names)
            try validate(isTrained: isTrained)
        } catch {
            throw Failure(error.code, "task \"\(name.shown)\": \(error.message)")
        }
    }

    /// The split with that name.
    public func split(_ name: SplitName) -> SplitDefinition? {
        splits.first { $0.name == name }
    }

    /// All files, each once, in the order of the splits.
    public var paths: [String] {
        splits.flatMap(\.source.paths).reduce(into: []) { paths, path in
            if !paths.contains(path) { paths.append(path) }
        }
    }

    /// The files' name for each class; empty for a task without classes.
    public var labelNames: [String] {
        guard case .classes(let classes) = answers else { return [] }
        return classes.indices.compactMap(labels.name)
    }

    /// The same definition with other files, which are then no benchmark's. The key of the token cache is made from it, and does
    /// not depend on where a definition comes from.
    func mapPaths(_ transform: (String) -> String) throws(Failure) -> TaskDefinition {
        try TaskDefinition(
            name: name, format: format, fields: fields, label: label, group: group, template: template.pattern,
            answers: answers, labels: labels, metrics: metrics, positive: positive,
            splits: splits.map {
                SplitDefinition($0.name, $0.source.mapPaths(transform), label: $0.label)
            }, leavesOutIncompleteRows: leavesOutIncompleteRows, isTrained: split(.train) != nil)
    }
}
