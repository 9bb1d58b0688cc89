/// Counts of (gold class, answered class) and the figures of classification that follow from them.
///
/// Answers that are not a label count as an additional class, which is never the gold class.
struct Confusion {
    private let classes: Int
    /// `[classes, classes + 1]`, gold by answer; the last column holds the answers that are not a label.
    private var counts: [Int]
    private(set) var total = 0

    init(classes: Int) {
        self.classes = classes
        counts = [Int](repeating: 0, count: classes * (classes + 1))
    }

    /// Creates counts that were made elsewhere; `counts` is `[classes, classes + 1]`, gold by answer.
    init(classes: Int, counts: [Int]) {
        precondition(counts.count == classes * (classes + 1), "a count for each gold class and answer")
        self.classes = classes
        self.counts = counts
        total = counts.reduce(0, +)
    }

    mutating func add(gold: Int, answer: Int?) {
        counts[gold * (classes + 1) + (answer ?? classes)] += 1
        total += 1
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

    /// The value of a metric; nil where it is not defined, as for metrics of grades.
    func value(_ metric: Metric, positive: Int?) -> Double? {
        switch metric {
        case .accuracy: accuracy
        case .f1: positive.flatMap { f1(positive: $0) }
        case .matthews: matthews
        case .pearson, .spearman: nil
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
