import Tensors

/// How many examples of a split have one label.
public struct LabelStatistics: Sendable, Equatable, Codable {
    /// The label as the files write it.
    public let label: String
    /// The answer that the model is to give.
    public let answer: String
    /// Examples with this label.
    public let count: Int
    /// The fraction of the split's examples.
    public let share: Double

    /// The labels of a split of a task with these classes, in class order.
    static func of(_ split: CachedSplit, names: [String], answers: [String]) -> [LabelStatistics] {
        var counts = [Int](repeating: 0, count: answers.count)
        for number in split.numbers { counts[Int(number)] += 1 }
        return answers.indices.map { index in
            LabelStatistics(
                label: index < names.count ? names[index] : answers[index], answer: answers[index],
                count: counts[index], share: SplitStatistics.Part(counts[index], of: split.count).share)
        }
    }
}

/// The distribution of the scores of a split, as the files have them: not rounded to the task's grades.
public struct ScoreStatistics: Sendable, Equatable, Codable {
    /// The smallest score.
    public let minimum: Double
    /// The largest score.
    public let maximum: Double
    /// The mean.
    public let mean: Double
    /// The smallest scores that a quarter, half and three quarters of the examples do not exceed.
    public let quartiles: [Double]

    /// Computes the figures; nil without scores.
    init?(_ scores: [Double]) {
        let sorted = scores.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        (minimum, maximum) = (first, last)
        let (sum, count) = (scores.reduce(0, +), Double(scores.count))
        // The sum of enormous scores may be no number, their mean is one.
        mean = sum.isFinite ? sum / count : scores.reduce(0) { $0 + $1 / count }
        quartiles = (1...3).map { sorted[($0 * sorted.count + 3) / 4 - 1] }
    }
}

/// The answers of a split of a task with free text.
public struct TextStatistics: Sendable, Equatable, Codable {
    /// Different answers; an example's answer is the first of its texts.
    public let different: Int
    /// Texts that are right, of all examples together.
    public let references: Int
    /// Lengths of the answers before the cut, EOS included.
    public let whole: TokenLengths
    /// The maximal length of a target in tokens, EOS included; absent without one.
    public let limit: Int?
    /// Answers that were cut to that length as targets.
    public let cut: SplitStatistics.Part
    /// Answers without text.
    public let empty: SplitStatistics.Part
    /// Answers with text that no piece covers, which the model cannot write.
    public let withUnknown: SplitStatistics.Part
    /// Answers that contain a special or another added token.
    public let withAddedTokens: SplitStatistics.Part

    /// Computes the figures of a split from what tokenising found.
    init(_ split: CachedSplit, _ counts: AnswerCounts) {
        func part(_ count: Int) -> SplitStatistics.Part { SplitStatistics.Part(count, of: split.count) }
        different = Set((0..<split.count).lazy.map { ContentDigest(of: split.gold($0).references[0]) }).count
        (references, whole, limit) = (counts.references, counts.whole, counts.limit)
        (cut, empty) = (part(counts.truncated), part(counts.empty))
        (withUnknown, withAddedTokens) = (part(counts.withUnknown), part(counts.withAddedTokens))
    }
}
