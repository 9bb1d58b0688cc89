import Tensors

/// The answers to a split in the form from which the figures of any sample of its examples follow.
public struct AnsweredSplit: Codable, Sendable, Equatable {
    /// Number of classes; nil for a task with grades or free text.
    package let classes: Int?
    /// The class for which F1 is computed; nil without F1.
    package let positive: Int?
    /// The figures, in order.
    package let metrics: [Metric]
    /// The class or grade of each example; for free text a number that stands for its references.
    package let gold: [Double]
    /// The answered class or number of each example; -1 for an answer that is none, as in the figures. Empty for free text.
    package let answers: [Double]
    /// The answers of a task with free text; nil for others.
    package let texts: [String]?
    /// What their figures follow from; nil for others.
    package let measures: TextMeasures?
    /// The groups of the examples; nil without groups.
    package let groups: ExampleGroups?

    /// Reads generated answers like `TaskScores`.
    package init(
        answers: [String], gold: [GoldAnswer], space: AnswerSpace, metrics: [Metric], positive: PositiveClass?,
        groups: [Int]? = nil
    ) {
        var measures: TextMeasures?
        switch space {
        case .classes(let labels):
            classes = labels.count
            self.answers = answers.map { Double(space.label(of: $0) ?? -1) }
            texts = nil
        case .grades:
            classes = nil
            self.answers = answers.map { AnswerSpace.number(of: $0) ?? -1 }
            texts = nil
        case .texts:
            classes = nil
            self.answers = []
            texts = answers
            measures = TextMeasures(answers, references: gold.map(\.references), metrics: metrics)
        }
        self.measures = measures
        self.positive = metrics.contains(.f1) ? positive?.index : nil
        self.metrics = metrics
        self.gold = gold.map(\.number)
        self.groups = groups.map { ExampleGroups($0) }
    }

    /// Creates a value from numbers.
    package init(
        classes: Int?, positive: Int? = nil, metrics: [Metric], gold: [Double], answers: [Double],
        groups: [Int]? = nil
    ) {
        self.classes = classes
        self.positive = positive
        self.metrics = metrics
        self.gold = gold
        self.answers = answers
        (texts, measures) = (nil, nil)
        self.groups = groups.map { ExampleGroups($0) }
    }

    /// Whether the numbers fit together; a value that was read from a file may be of another kind.
    package var isConsistent: Bool {
        guard !gold.isEmpty, groups.map({ $0.numbers.count == gold.count && $0.isConsistent }) ?? true else {
            return false
        }
        if let texts {
            return classes == nil && answers.isEmpty && texts.count == gold.count
                && metrics.allSatisfy { $0.applies(to: .texts) }
                && measures?.isComplete(metrics, examples: gold.count) ?? false
        }
        guard gold.count == answers.count else { return false }
        guard let classes else { return metrics.allSatisfy { $0 == .pearson || $0 == .spearman } }
        guard (2...1_000).contains(classes), positive.map({ (0..<classes).contains($0) }) ?? true,
            metrics.allSatisfy({ $0.applies(to: .classes([])) }), groups != nil || !metrics.contains(.groupExactMatch)
        else { return false }
        func isClass(_ value: Double, from least: Double) -> Bool {
            value >= least && value < Double(classes) && value == value.rounded()
        }
        return gold.allSatisfy { isClass($0, from: 0) } && answers.allSatisfy { isClass($0, from: -1) }
    }

    /// How many examples have another answer in an equal split that was answered otherwise.
    package func differingAnswers(from other: AnsweredSplit) -> Int {
        if let texts, let others = other.texts { return zip(texts, others).count { $0 != $1 } }
        return zip(answers, other.answers).count { $0 != $1 }
    }

    /// The figures of a sample of examples, which may contain an example several times, in the order of `metrics`. A figure
    /// that is undefined is 0. If the examples have groups, the sample consists of whole ones.
    package func figures(of sample: [Int]) -> [Double] {
        if let measures { return metrics.map { measures.value($0, of: sample) ?? 0 } }
        guard let classes else { return metrics.map { correlation($0, of: sample) ?? 0 } }
        let confusion = confusion(classes: classes, of: sample)
        return metrics.map { metric in
            let value =
                metric == .groupExactMatch
                ? groupExactMatch(of: sample) : confusion.value(metric, positive: positive)
            return value ?? 0
        }
    }

    /// The counts of a sample of a task with classes.
    func confusion(classes: Int, of sample: some Sequence<Int>) -> Confusion {
        var counts = [Int](repeating: 0, count: classes * (classes + 1))
        for example in sample {
            let (gold, answer) = (Int(gold[example]), Int(answers[example]))
            counts[gold * (classes + 1) + (answer < 0 ? classes : answer)] += 1
        }
        return Confusion(classes: classes, counts: counts)
    }

    /// The share of a sample's groups with correct answers only; nil without groups.
    func groupExactMatch(of sample: some Sequence<Int>) -> Double? {
        groups?.shareRight({ gold[$0] == answers[$0] }, of: sample)
    }

    /// A correlation of a sample of a task with grades; nil when it is undefined.
    func correlation(_ metric: Metric, of sample: some Sequence<Int>) -> Double? {
        let gold = sample.map { self.gold[$0] }
        let answers = sample.map { self.answers[$0] }
        return metric == .pearson ? Correlation.pearson(answers, gold) : Correlation.spearman(answers, gold)
    }
}

extension GoldAnswer {
    /// The texts that are right; none for a label or score.
    var references: [String] {
        if case .texts(let texts) = self { return texts }
        return []
    }

    /// The class or the score; for free text a number that other references do not have.
    fileprivate var number: Double {
        switch self {
        case .label(let label): Double(label)
        case .score(let score): score
        // 53 bits are the most that a number holds exactly.
        case .texts(let texts): Double(ContentDigest(of: texts.joined(separator: "\u{0}")).words[0] >> 11)
        }
    }
}
