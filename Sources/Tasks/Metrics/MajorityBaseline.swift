import Failures

extension TaskScores {
    /// The scores of answering the most frequent training class every time, which is what any model must beat.
    ///
    /// Of equally frequent classes the first is taken. Accuracy and F1 are what that answer earns; Matthews and
    /// correlations of a constant answer are undefined and so 0. Throws like the scoring of answers.
    public static func majorityBaseline(
        training: [GoldAnswer], gold: [GoldAnswer], space: AnswerSpace, metrics: [Metric]
    ) throws(Failure) -> TaskScores {
        try TaskScores(
            answers: [String](repeating: majorityAnswer(training: training, space: space), count: gold.count),
            gold: gold, space: space, metrics: metrics)
    }

    /// The most frequent class's text; with grades any constant number, as no figure depends on it.
    private static func majorityAnswer(training: [GoldAnswer], space: AnswerSpace) -> String {
        guard case .classes(let labels) = space else { return "0" }
        var counts = [Int](repeating: 0, count: labels.count)
        for case .label(let label) in training { counts[label] += 1 }
        var best = 0
        for label in counts.indices where counts[label] > counts[best] { best = label }
        return labels[best]
    }
}
