public import Tasks

/// One task's split, with everything that the evaluator needs.
///
/// Safe except for the lists that `source` returns, which are valid as long as what it reads.
@safe public struct EvaluationTask: Sendable {
    /// Name of the task.
    public let name: String
    /// The task's position among the run's tasks.
    public let task: Int
    /// The answers that the task admits.
    public let space: AnswerSpace
    /// The figures that are computed.
    public let metrics: [Metric]
    /// The class for which F1 is computed; nil without F1.
    public let positive: PositiveClass?
    /// Largest number of tokens to generate.
    public let budget: Int
    /// Whether its figures are shown beside the averages instead of counting in them: MNLI's other half.
    public let isOutsideAverage: Bool
    /// Gold answers, by example.
    public let gold: [GoldAnswer]
    /// The files' names of the labels, in class order; empty for the answer texts.
    public var labelNames: [String] = []
    /// The group of each example; nil without groups.
    public var groups: [Int]?
    /// The name of an example in messages.
    public var exampleName: @Sendable (Int) -> String = { "example \($0)" }
    /// Source tokens of an example, the end token included.
    public let source: @Sendable (Int) -> UnsafeBufferPointer<Int32>

    /// Creates a split to evaluate.
    public init(
        name: String, task: Int, space: AnswerSpace, metrics: [Metric],
        positive: PositiveClass? = nil, budget: Int, isOutsideAverage: Bool = false,
        gold: [GoldAnswer], source: @escaping @Sendable (Int) -> UnsafeBufferPointer<Int32>
    ) {
        self.name = name
        self.task = task
        self.space = space
        self.metrics = metrics
        self.positive = positive
        self.budget = budget
        self.isOutsideAverage = isOutsideAverage
        self.gold = gold
        unsafe self.source = source
    }
}
