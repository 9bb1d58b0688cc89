public import Failures

/// The figures of one task on one split, and how many answers were invalid.
public struct TaskScores: Sendable, Equatable {
    /// A metric and its value.
    public struct Figure: Sendable, Equatable {
        /// The metric.
        public let metric: Metric
        /// The value as a fraction: 0...1, correlations -1...1; tables show it times 100.
        public let value: Double
        /// Whether the metric was undefined (0/0: constant answers, too few examples) and therefore counts as 0.
        public let isUndefined: Bool

        /// Creates a figure.
        public init(metric: Metric, value: Double, isUndefined: Bool = false) {
            self.metric = metric
            self.value = value
            self.isUndefined = isUndefined
        }
    }

    /// The figures, in the order of the requested metrics.
    public let figures: [Figure]
    /// Number of examples.
    public let examples: Int
    /// Answers that are not a label, or not a number when grades are expected.
    public let invalidAnswers: Int
    /// The label of the class for which F1 is computed; nil without F1.
    public let positive: String?

    /// Creates scores from known figures.
    public init(figures: [Figure], examples: Int, invalidAnswers: Int, positive: String? = nil) {
        self.figures = figures
        self.examples = examples
        self.invalidAnswers = invalidAnswers
        self.positive = positive
    }

    /// Scores generated answers against the gold answers.
    ///
    /// `answers[i]` is the generated text for the example with the answer `gold[i]`. An answer that is not a label always
    /// counts as wrong (for Matthews as a separate class); one that is not a number counts as the grade -1. A figure that is
    /// undefined is 0 and marked. `positive` is the class for which F1 is computed; F1 needs it. Throws `badConfiguration` for
    /// a metric that is not defined for such answers.
    public init(
        answers: [String], gold: [GoldAnswer], space: AnswerSpace, metrics: [Metric], positive: PositiveClass?
    ) throws(Failure) {
        precondition(answers.count == gold.count, "an answer per example")
        if let metric = metrics.first(where: { !$0.applies(to: space) }) {
            throw Failure(
                .badConfiguration,
                "metric \"\(metric.rawValue)\" does not apply; accuracy, f1 and matthews need labels, pearson and spearman grades"
            )
        }
        switch space {
        case .classes(let labels):
            self.init(
                labels: answers.map(space.label(of:)), gold: gold, classes: labels.count, metrics: metrics,
                positive: positive)
        case .grades:
            self.init(numbers: answers.map(AnswerSpace.number(of:)), gold: gold, metrics: metrics)
        }
    }

    /// The value of a metric; nil when it was not requested.
    public subscript(metric: Metric) -> Double? {
        figures.first { $0.metric == metric }?.value
    }

    /// Mean of the task's figures; nil when there are none.
    public var mean: Double? {
        figures.isEmpty ? nil : figures.reduce(0) { $0 + $1.value } / Double(figures.count)
    }

    private init(labels: [Int?], gold: [GoldAnswer], classes: Int, metrics: [Metric], positive: PositiveClass?) {
        precondition(positive != nil || !metrics.contains(.f1), "F1 is of some class")
        var confusion = Confusion(classes: classes)
        for (label, gold) in zip(labels, gold) {
            guard case .label(let goldLabel) = gold else { preconditionFailure("a grade in a task with labels") }
            confusion.add(gold: goldLabel, answer: label)
        }
        let figures = metrics.map { metric in
            let value = confusion.value(metric, positive: positive?.index)
            return Figure(metric: metric, value: value ?? 0, isUndefined: value == nil)
        }
        self.init(
            figures: figures, examples: gold.count, invalidAnswers: confusion.invalid,
            positive: metrics.contains(.f1) ? positive?.label : nil)
    }

    private init(numbers: [Double?], gold: [GoldAnswer], metrics: [Metric]) {
        let scores = gold.map { gold in
            guard case .score(let score) = gold else { preconditionFailure("a label in a task with grades") }
            return score
        }
        let answered = numbers.map { $0 ?? -1 }
        let figures = metrics.map { metric in
            let value =
                metric == .pearson ? Correlation.pearson(answered, scores) : Correlation.spearman(answered, scores)
            return Figure(metric: metric, value: value ?? 0, isUndefined: value == nil)
        }
        self.init(figures: figures, examples: gold.count, invalidAnswers: numbers.count { $0 == nil })
    }
}
