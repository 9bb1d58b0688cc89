/// An entry of a tasks file: files that are evaluated in the place of a task of the run, with all that the run has learned for it.
///
/// What the entry does not give is that of the run's task.
public struct StandInTask: Sendable, Equatable {
    /// Name under which the figures are reported.
    public var name: String
    /// The run's task whose place it takes; its own name unless the entry says `as`.
    public var stands: String
    /// Where the entry is, for messages.
    public var place: String
    /// Validation file.
    public var validation: String?
    /// Test file.
    public var test: String?
    /// Format of its files.
    public var format: CustomTask.Format?
    /// Whether a TSV file starts with the columns' names.
    public var header: Bool?
    /// Names of the columns of a TSV file without header.
    public var columns: [String]
    /// Whether rows of a TSV file may have more columns, which are not read.
    public var isRagged: Bool
    /// Columns or keys of the texts. Without a template of its own they are those of the run's fields, in the same order.
    public var fields: [String]
    /// For each field of the run's task its column or key, if the entry gives a mapping.
    public var columnOfField: [String: String]
    /// Source text with `{field}` placeholders.
    public var template: String?
    /// Column or key of the label or score.
    public var label: String?
    /// File labels and their answer texts; several labels may have the same answer. Empty if not given.
    public var labels: [Label]
    /// Figures; empty if not given.
    public var metrics: [String]
    /// The files' label for which F1 is computed.
    public var positive: String?

    /// A label of the files and the answer that it means.
    public struct Label: Sendable, Equatable {
        /// As the files have it.
        public var label: String
        /// The text that the model is to answer.
        public var answer: String
    }

    /// Whether it takes the place of a task that it is not: one that the run was not trained on.
    public var isOther: Bool { name != stands }
}
