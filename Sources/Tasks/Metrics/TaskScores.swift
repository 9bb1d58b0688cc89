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
    /// Answers that are not a label, or not a number when grades are expected, or, as free text, not finished within the budget.
    public let invalidAnswers: Int
    /// The label of the class for which F1 is computed; nil without F1.
    public let positive: String?
    /// The figures of every label, in class order; empty for a task without labels.
    public let labels: [LabelScores]

    /// Creates scores from known figures.
    public init(
        figures: [Figure], examples: Int, invalidAnswers: Int, positive: String? = nil, labels: [LabelScores] = []
    ) {
        self.figures = figures
        self.examples = examples
        self.invalidAnswers = invalidAnswers
        self.positive = positive
        self.labels = labels
    }

    /// Scores generated answers against the gold answers.
    ///
    /// `answers[i]` is the generated text for the example with the answer `gold[i]`. An answer that is not a label always
    /// counts as wrong (for Matthews as a separate class); one that is not a number counts as the grade -1. A figure that is
    /// undefined is 0 and marked. Throws `badConfiguration` for a metric that is not defined for such answers.
    ///
    /// - Parameters:
    ///   - positive: The class for which F1 is computed; F1 needs it.
    ///   - labelNames: The files' names of the labels, in class order; empty for the answer texts.
    ///   - groups: The group of each example; the figures of groups need them.
    ///   - unfinished: How many answers of free text the budget cut off.
    public init(
        answers: [String], gold: [GoldAnswer], space: AnswerSpace, metrics: [Metric], positive: PositiveClass?,
        labelNames: [String] = [], groups: [Int]? = nil, unfinished: Int = 0
    ) throws(Failure) {
        try self.init(
            AnsweredSplit(
                answers: answers, gold: gold, space: space, metrics: metrics, positive: positive, groups: groups),
            answers: answers, space: space, positive: positive, labelNames: labelNames, unfinished: unfinished)
    }

    /// Scores answers that have been read; the other parameters are those with which they were read.
    package init(
        _ answered: AnsweredSplit, answers: [String], space: AnswerSpace, positive: PositiveClass?,
        labelNames: [String] = [], unfinished: Int = 0
    ) throws(Failure) {
        let metrics = answered.metrics
        precondition(answers.count == answered.gold.count, "an answer per example")
        if let metric = metrics.first(where: { !$0.applies(to: space) }) {
            throw Failure(
                .badConfiguration,
                "metric \"\(metric.rawValue)\" does not apply to these answers; use \(Metric.names(for: space))")
        }
        precondition(positive != nil || !metrics.contains(.f1), "F1 is of some class")
        func figures(_ value: (Metric) -> Double?) -> [Figure] {
            metrics.map { metric in
                let value = value(metric)
                return Figure(metric: metric, value: value ?? 0, isUndefined: value == nil)
            }
        }
        switch space {
        case .classes(let texts):
            let confusion = answered.confusion(classes: texts.count, of: answered.gold.indices)
            self.init(
                figures: figures { metric in
                    metric == .groupExactMatch
                        ? answered.groupExactMatch(of: answered.gold.indices)
                        : confusion.value(metric, positive: positive?.index)
                },
                examples: answers.count, invalidAnswers: confusion.invalid,
                positive: metrics.contains(.f1) ? positive?.label : nil,
                labels: confusion.scores(names: labelNames.isEmpty ? texts : labelNames))
        case .grades:
            self.init(
                figures: figures { answered.correlation($0, of: answered.gold.indices) }, examples: answers.count,
                invalidAnswers: answers.count { AnswerSpace.number(of: $0) == nil })
        case .texts:
            self.init(
                figures: figures { answered.measures?.value($0, of: answered.gold.indices) }, examples: answers.count,
                invalidAnswers: unfinished)
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
}
