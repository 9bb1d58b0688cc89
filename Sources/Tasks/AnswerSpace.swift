/// The answers that a task admits, and how a gold label becomes target text.
public enum AnswerSpace: Sendable, Equatable, Codable {
    /// Classification: the answer text of each class, in class order.
    case classes([String])
    /// Regression: scores from `minimum` to `maximum`; the target text is the score rounded to the nearest `step`,
    /// printed with `decimals` decimals.
    case grades(minimum: Double, maximum: Double, step: Double, decimals: Int)
}

/// The gold answer of one example.
public enum GoldAnswer: Sendable, Equatable {
    /// The class, as an index into `AnswerSpace.classes`.
    case label(Int)
    /// The raw, unrounded score.
    case score(Double)

    /// The class or the score, as files and statistics have it.
    var number: Double {
        switch self {
        case .label(let label): Double(label)
        case .score(let score): score
        }
    }
}

/// A figure that an evaluation computes; the raw value is its name in the configuration and in tables.
public enum Metric: String, Sendable, CaseIterable, Codable {
    /// Share of correct answers.
    case accuracy
    /// F1 of the positive class (`TaskDefinition.positiveClass`).
    case f1
    /// Matthews correlation (multi-class form).
    case matthews
    /// Pearson correlation with the raw gold scores.
    case pearson
    /// Spearman rank correlation with the raw gold scores.
    case spearman

    /// Whether the figure is defined for such answers: correlations need grades, all others need classes.
    public func applies(to space: AnswerSpace) -> Bool {
        switch (self, space) {
        case (.accuracy, .classes), (.f1, .classes), (.matthews, .classes): true
        case (.pearson, .grades), (.spearman, .grades): true
        default: false
        }
    }
}
