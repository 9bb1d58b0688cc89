/// Counts of (gold class, answered class) and the figures of classification that follow from them.
///
/// Answers that are not a label count as an additional class, which is never the gold class.
struct Confusion {
    private let classes: Int
    /// `[classes, classes + 1]`, gold by answer; the last column holds the answers that are not a label.
    private let counts: [Int]
    private let total: Int

    /// Creates the counts `[classes, classes + 1]`, gold by answer.
    init(classes: Int, counts: [Int]) {
        precondition(counts.count == classes * (classes + 1), "a count for each gold class and answer")
        self.classes = classes
        self.counts = counts
        total = counts.reduce(0, +)
    }

    private func count(gold: Int, answer: Int) -> Int { counts[gold * (classes + 1) + answer] }

    private var correct: Int { (0..<classes).reduce(0) { $0 + count(gold: $1, answer: $1) } }

    /// Number of answers that are not a label.
    var invalid: Int { (0..<classes).reduce(0) { $0 + count(gold: $1, answer: classes) } }

    /// Correct answers over all answers; nil without examples.
    var accuracy: Double? { total > 0 ? Double(correct) / Double(total) : nil }

    /// `2 tp / (2 tp + fp + fn)` of the class `positive`; nil when that class occurs neither as gold nor as answer.
    ///
    /// An answer that is not a label counts as the wrong choice between "positive" and "not positive", as in T5 and HyperFormer
    /// (`f1_score_with_invalid`): it is a false positive when the gold class is another one.
    func f1(positive: Int) -> Double? {
        guard classes > 1 else { return nil }
        let truePositives = count(gold: positive, answer: positive)
        let falseNegatives = (0...classes).reduce(0) { $0 + count(gold: positive, answer: $1) } - truePositives
        let falsePositives = (0..<classes).reduce(0) {
            $1 == positive ? $0 : $0 + count(gold: $1, answer: positive) + count(gold: $1, answer: classes)
        }
        let denominator = 2 * truePositives + falsePositives + falseNegatives
        return denominator > 0 ? Double(2 * truePositives) / Double(denominator) : nil
    }

    /// Mean of the F1 of all classes; nil without examples. The F1 of a class that occurs neither as gold nor as answer is 0, and
    /// an answer that is not a label is an answer with no class, as in scikit-learn (`f1_score` with all labels, macro).
    var macroF1: Double? {
        guard total > 0 else { return nil }
        return (0..<classes).reduce(0) { $0 + scores(of: $1).f1 } / Double(classes)
    }

    /// The figures of every class; `names` are the labels in class order.
    func scores(names: [String]) -> [LabelScores] {
        (0..<classes).map { index in
            let (examples, precision, recall, f1) = scores(of: index)
            return LabelScores(label: names[index], examples: examples, precision: precision, recall: recall, f1: f1)
        }
    }

    private func scores(of label: Int) -> (examples: Int, precision: Double, recall: Double, f1: Double) {
        let correct = count(gold: label, answer: label)
        let gold = (0...classes).reduce(0) { $0 + count(gold: label, answer: $1) }
        let answered = (0..<classes).reduce(0) { $0 + count(gold: $1, answer: label) }
        func share(_ part: Int, of whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }
        return (gold, share(correct, of: answered), share(correct, of: gold), share(2 * correct, of: gold + answered))
    }

    /// The value of a metric; nil where it is not defined by these counts.
    func value(_ metric: Metric, positive: Int?) -> Double? {
        switch metric {
        case .accuracy: accuracy
        case .f1: positive.flatMap { f1(positive: $0) }
        case .macroF1: macroF1
        case .matthews: matthews
        case .groupExactMatch, .pearson, .spearman, .exactMatch, .tokenF1, .rougeL, .bleu: nil
        }
    }

    /// Matthews correlation for any number of classes: `(c n - sum p_k t_k) / sqrt((n^2 - sum p_k^2) (n^2 - sum t_k^2))` with c
    /// correct answers of n, p_k answers and t_k gold labels of class k; nil when all answers or all gold labels are the same
    /// class.
    ///
    /// Source: Gorodkin, Computational Biology and Chemistry 2004; scikit-learn's `matthews_corrcoef`.
    var matthews: Double? {
        var (sumPT, sumPP, sumTT) = (0, 0, 0)
        for k in 0...classes {
            let answered = (0..<classes).reduce(0) { $0 + count(gold: $1, answer: k) }
            let gold = k < classes ? (0...classes).reduce(0) { $0 + count(gold: k, answer: $1) } : 0
            sumPT += answered * gold
            sumPP += answered * answered
            sumTT += gold * gold
        }
        let (answerVariance, goldVariance) = (total * total - sumPP, total * total - sumTT)
        guard answerVariance > 0, goldVariance > 0 else { return nil }
        return Double(correct * total - sumPT) / (Double(answerVariance) * Double(goldVariance)).squareRoot()
    }
}
