public import Failures

extension TaskScores {
    /// The scores of always giving the most frequent training answer, which any model should beat.
    ///
    /// Among equally frequent answers it takes the one whose text is first in alphabetical order, so that the order of
    /// the labels has no effect. The figures are those of that constant answer; Matthews and correlations of a constant
    /// answer are undefined and so 0. Throws like the scoring of answers.
    public static func majorityBaseline(
        training: [GoldAnswer], gold: [GoldAnswer], space: AnswerSpace, metrics: [Metric],
        positive: PositiveClass?, groups: [Int]? = nil
    ) throws(Failure) -> TaskScores {
        try TaskScores(
            answers: [String](repeating: majorityAnswer(training: training, space: space), count: gold.count),
            gold: gold, space: space, metrics: metrics, positive: positive, groups: groups)
    }

    /// The most frequent answer's text; for grades any constant number, since no figure depends on it.
    private static func majorityAnswer(training: [GoldAnswer], space: AnswerSpace) -> String {
        if case .grades = space { return "0" }
        var counts: [String: Int] = [:]
        for gold in training { counts[space.targetText(of: gold), default: 0] += 1 }
        let most = counts.values.max() ?? 0
        // Without training rows, all labels are equally frequent.
        if most == 0, case .classes(let labels) = space { return labels.min() ?? "" }
        return counts.filter { $0.value == most }.map(\.key).min() ?? ""
    }
}
