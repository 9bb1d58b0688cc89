/// The answers that a task admits, and how a gold label becomes target text.
public enum AnswerSpace: Sendable, Equatable, Codable {
    /// Classification: the answer text of each class, in class order.
    case classes([String])
    /// Regression: scores from `minimum` to `maximum`; the target text is the score rounded to the nearest `step`,
    /// printed with `decimals` decimals.
    case grades(minimum: Double, maximum: Double, step: Double, decimals: Int)
    /// Free text: every example has its own target text, which the files give.
    case texts
}

/// The gold answer of one example.
public enum GoldAnswer: Sendable, Equatable {
    /// The class, as an index into `AnswerSpace.classes`.
    case label(Int)
    /// The raw, unrounded score.
    case score(Double)
    /// The texts that are right, at least one; the first is the one that the model is trained to give.
    case texts([String])
}

/// A figure that an evaluation computes; the raw value is its name in the configuration and in tables.
public enum Metric: String, Sendable, CaseIterable, Codable {
    /// Share of correct answers.
    case accuracy
    /// F1 of the positive class (`TaskDefinition.positiveClass`).
    case f1
    /// Matthews correlation (multi-class form).
    case matthews
    /// Mean of the F1 of every class.
    case macroF1 = "macro_f1"
    /// Share of the groups of examples (`TaskDefinition.group`) in which every answer is correct.
    case groupExactMatch = "group_exact_match"
    /// Pearson correlation with the raw gold scores.
    case pearson
    /// Spearman rank correlation with the raw gold scores.
    case spearman
    /// Share of the texts that are equal to a reference, up to case, punctuation, articles and white space.
    case exactMatch = "exact_match"
    /// Mean F1 of a text's words against those of the best reference.
    case tokenF1 = "token_f1"
    /// Mean ROUGE-L against the best reference.
    case rougeL = "rouge_l"
    /// BLEU of the whole split, from 0 to 1.
    case bleu

    /// Whether the figure is defined for such answers.
    public func applies(to space: AnswerSpace) -> Bool {
        switch (self, space) {
        case (.accuracy, .classes), (.f1, .classes), (.matthews, .classes), (.macroF1, .classes),
            (.groupExactMatch, .classes):
            true
        case (.pearson, .grades), (.spearman, .grades): true
        case (.exactMatch, .texts), (.tokenF1, .texts), (.rougeL, .texts), (.bleu, .texts): true
        default: false
        }
    }

    /// The names of the figures that are defined for such answers, as a list for messages.
    static func names(for space: AnswerSpace) -> String {
        allCases.filter { $0.applies(to: space) }.map(\.rawValue).joined(separator: ", ")
    }
}
