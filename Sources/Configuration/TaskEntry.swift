/// An entry of `tasks`: a task of GLUE or SuperGLUE, or one of the user's own.
public enum TaskEntry: Sendable, Equatable {
    /// A GLUE task by its short name.
    case glue(String)
    /// A SuperGLUE task by its short name.
    case superglue(String)
    /// A task whose files, template and answers are in the configuration.
    case custom(CustomTask)

    /// The task's name.
    public var name: String {
        switch self {
        case .glue(let name), .superglue(let name): name
        case .custom(let task): task.name
        }
    }
}

/// A task that the configuration describes.
public struct CustomTask: Sendable, Equatable {
    /// The format of its files.
    public enum Format: String, Sendable, CaseIterable {
        /// Tab-separated values.
        case tsv
        /// Comma-separated values with quotes.
        case csv
        /// One JSON object per line.
        case jsonl
    }

    /// Name, the first word of the source text.
    public var name: String
    /// Format of all its files.
    public var format: Format
    /// Whether a TSV or CSV file starts with the columns' names.
    public var header: Bool
    /// Names of the columns of a TSV or CSV file without header.
    public var columns: [String]
    /// Training file.
    public var train: String
    /// Validation file; nil takes validation rows out of the training file.
    public var validation: String?
    /// Test file; nil halves the validation file, or takes `holdOutTest` rows out of the training file.
    public var test: String?
    /// Training rows that become validation when there is no validation file.
    public var holdOut: Int
    /// Training rows that become test, drawn after those that become validation; nil for none.
    public var holdOutTest: Int?
    /// Text fields in the order of the default template.
    public var fields: [String]
    /// Source text with `{field}` placeholders; nil for `<name> <field>: <text> ...`.
    public var template: String?
    /// Field that holds the label or score, or the answer of a task with free text.
    public var label: String
    /// Whether the answers are free text.
    public var hasFreeText: Bool
    /// Field whose value the rows of a group share; nil without groups.
    public var group: String?
    /// File labels and their answer texts, in class order; empty for a task without classes.
    public var labels: [(label: String, answer: String)]
    /// Smallest and largest score and the step of the answers; nil for a task without grades.
    public var range: Range?
    /// Figures.
    public var metrics: [String]
    /// The files' label for which F1 is computed; nil chooses 1 if the other label is 0, and true if the other is
    /// false, otherwise the second label.
    public var positive: String?

    /// Scores of a regression.
    public struct Range: Sendable, Equatable {
        /// Smallest score.
        public var minimum: Double
        /// Largest score.
        public var maximum: Double
        /// Distance of neighbouring answers.
        public var step: Double
    }

    /// Equal when every part is equal.
    public static func == (a: CustomTask, b: CustomTask) -> Bool {
        a.name == b.name && a.format == b.format && a.header == b.header && a.columns == b.columns
            && a.train == b.train && a.validation == b.validation && a.test == b.test && a.holdOut == b.holdOut
            && a.holdOutTest == b.holdOutTest
            && a.fields == b.fields && a.template == b.template && a.label == b.label
            && a.hasFreeText == b.hasFreeText && a.group == b.group
            && a.labels.map { [$0.label, $0.answer] } == b.labels.map { [$0.label, $0.answer] } && a.range == b.range
            && a.metrics == b.metrics && a.positive == b.positive
    }
}
