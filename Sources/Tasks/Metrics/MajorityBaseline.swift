import Failures

extension TaskScores {
    /// The scores of answering the most frequent training class every time, which is what any model must beat.
    ///
    /// Of equally frequent classes that of the first answer text in the alphabet's order is taken, so that the order of the
    /// labels means nothing. Accuracy and F1 are what that answer earns; Matthews and
    /// correlations of a constant answer are undefined and so 0. Throws like the scoring of answers.
    public static func majorityBaseline(
        training: [GoldAnswer], gold: [GoldAnswer], space: AnswerSpace, metrics: [Metric],
        positive: PositiveClass?
    ) throws(Failure) -> TaskScores {
        try TaskScores(
            answers: [String](repeating: majorityAnswer(training: training, space: space), count: gold.count),
            gold: gold, space: space, metrics: metrics, positive: positive)
    }

    /// The most frequent class's text; with grades any constant number, as no figure depends on it.
    private static func majorityAnswer(training: [GoldAnswer], space: AnswerSpace) -> String {
        guard case .classes(let labels) = space else { return "0" }
        var counts = [Int](repeating: 0, count: labels.count)
        for case .label(let label) in training { counts[label] += 1 }
        let most = counts.max() ?? 0
        return zip(labels, counts).filter { $1 == most }.map(\.0).min() ?? ""
    }
}
