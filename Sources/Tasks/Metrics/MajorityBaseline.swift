public import Failures

extension TaskScores {
    /// The scores of always answering the most frequent training class, which any model should beat.
    ///
    /// Among equally frequent classes it takes the one whose answer text is first in alphabetical order, so that the order of
    /// the labels has no effect. Accuracy and F1 are those of that constant answer; Matthews and correlations of a constant
    /// answer are undefined and so 0. Throws like the scoring of answers.
    public static func majorityBaseline(
        training: [GoldAnswer], gold: [GoldAnswer], space: AnswerSpace, metrics: [Metric],
        positive: PositiveClass?
    ) throws(Failure) -> TaskScores {
        try TaskScores(
            answers: [String](repeating: majorityAnswer(training: training, space: space), count: gold.count),
            gold: gold, space: space, metrics: metrics, positive: positive)
    }

    /// The most frequent class's text; for grades any constant number, since no figure depends on it.
    private static func majorityAnswer(training: [GoldAnswer], space: AnswerSpace) -> String {
        guard case .classes(let labels) = space else { return "0" }
        var counts = [Int](repeating: 0, count: labels.count)
        for case .label(let label) in training { counts[label] += 1 }
        let most = counts.max() ?? 0
        return zip(labels, counts).filter { $1 == most }.map(\.0).min() ?? ""
    }
}
