/// The answers to a split as numbers, from which the figures of any sample of its examples follow.
public struct AnsweredSplit: Codable, Sendable, Equatable {
    /// Number of classes; nil for a task with grades.
    package let classes: Int?
    /// The class for which F1 is computed; nil without F1.
    package let positive: Int?
    /// The figures, in order.
    package let metrics: [Metric]
    /// The class or grade of each example.
    package let gold: [Double]
    /// The answered class or number of each example; -1 for an answer that is none, as in the figures.
    package let answers: [Double]

    /// Reads generated answers like `TaskScores`.
    package init(
        answers: [String], gold: [GoldAnswer], space: AnswerSpace, metrics: [Metric], positive: PositiveClass?
    ) {
        switch space {
        case .classes(let labels):
            classes = labels.count
            self.answers = answers.map { Double(space.label(of: $0) ?? -1) }
        case .grades:
            classes = nil
            self.answers = answers.map { AnswerSpace.number(of: $0) ?? -1 }
        }
        self.positive = metrics.contains(.f1) ? positive?.index : nil
        self.metrics = metrics
        self.gold = gold.map(\.number)
    }

    /// Creates a value from numbers.
    package init(classes: Int?, positive: Int? = nil, metrics: [Metric], gold: [Double], answers: [Double]) {
        self.classes = classes
        self.positive = positive
        self.metrics = metrics
        self.gold = gold
        self.answers = answers
    }

    /// Whether the numbers fit together; a value that was read from a file may be of another kind.
    package var isConsistent: Bool {
        guard gold.count == answers.count, !gold.isEmpty else { return false }
        guard let classes else { return metrics.allSatisfy { $0 == .pearson || $0 == .spearman } }
        guard (2...1_000).contains(classes), positive.map({ (0..<classes).contains($0) }) ?? true else { return false }
        func isClass(_ value: Double, from least: Double) -> Bool {
            value >= least && value < Double(classes) && value == value.rounded()
        }
        return gold.allSatisfy { isClass($0, from: 0) } && answers.allSatisfy { isClass($0, from: -1) }
    }

    /// The figures of a sample of examples, which may contain an example several times, in the order of `metrics`. A figure
    /// that is undefined is 0.
    package func figures(of sample: [Int32]) -> [Double] {
        guard let classes else {
            let gold = sample.map { self.gold[Int($0)] }
            let answers = sample.map { self.answers[Int($0)] }
            return metrics.map { metric in
                (metric == .pearson ? Correlation.pearson(answers, gold) : Correlation.spearman(answers, gold)) ?? 0
            }
        }
        var counts = [Int](repeating: 0, count: classes * (classes + 1))
        for example in sample {
            let (gold, answer) = (Int(gold[Int(example)]), Int(answers[Int(example)]))
            counts[gold * (classes + 1) + (answer < 0 ? classes : answer)] += 1
        }
        let confusion = Confusion(classes: classes, counts: counts)
        return metrics.map { confusion.value($0, positive: positive) ?? 0 }
    }
}
