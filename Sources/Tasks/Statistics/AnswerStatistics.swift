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
        for index in 0..<split.count { counts[Int(split.gold(index).number)] += 1 }
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
