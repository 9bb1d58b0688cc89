public import Failures

/// What an adapter needs of a task to answer its texts, without any files: the way into the model and out of it.
public struct DescribedTask: Sendable, Equatable, Codable {
    /// The task's name.
    public let name: String
    /// The names of its fields, in their order.
    public let fields: [String]
    /// The source text.
    public let template: String
    /// The answers.
    public let answers: AnswerSpace
    /// The labels of its files; empty for a task with grades.
    public let labels: LabelMap
    /// The figures that it was measured with.
    public let metrics: [Metric]
    /// The label for which F1 is computed; nil for the default of `PositiveClass`.
    public let positive: String?

    /// Describes a task.
    public init(_ task: TaskDefinition) {
        (name, fields, template) = (task.name, task.fields.map(\.name), task.template.pattern)
        (answers, labels, metrics, positive) = (task.answers, task.labels, task.metrics, task.positive)
    }

    /// The task, without files. Throws `badConfiguration` for what no task is.
    public func definition() throws(Failure) -> TaskDefinition {
        try TaskDefinition(
            name: name, format: .jsonLines, fields: fields.map { Field($0) }, label: .named(labelColumn),
            template: template, answers: answers, labels: labels, metrics: metrics, positive: positive, splits: [],
            isTrained: false)
    }

    /// A key for the label that is none of the fields; no label is ever read.
    private var labelColumn: String {
        var column = "label"
        while fields.contains(column) { column += "_" }
        return column
    }
}
