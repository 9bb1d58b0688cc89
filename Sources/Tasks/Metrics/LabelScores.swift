/// The figures of one label of a classification: those of the choice between this label and any other answer. Figures that are
/// 0/0 are 0, as in scikit-learn.
public struct LabelScores: Sendable, Equatable, Codable {
    /// The label as the files write it.
    public let label: String
    /// Examples that have this label.
    public let examples: Int
    /// Share of the answers with this label that are correct.
    public let precision: Double
    /// Share of the examples with this label that are answered with it.
    public let recall: Double
    /// Harmonic mean of both.
    public let f1: Double

    /// Creates the value.
    public init(label: String, examples: Int, precision: Double, recall: Double, f1: Double) {
        self.label = label
        self.examples = examples
        self.precision = precision
        self.recall = recall
        self.f1 = f1
    }
}
