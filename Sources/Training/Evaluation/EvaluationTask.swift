import Tasks

/// One task's split as the evaluator needs it.
public struct EvaluationTask: Sendable {
    /// Name of the task.
    public let name: String
    /// The task's position among the run's tasks.
    public let task: Int
    /// The answers it admits.
    public let space: AnswerSpace
    /// The figures it asks for.
    public let metrics: [Metric]
    /// The class that F1 is of; nil without F1.
    public let positive: PositiveClass?
    /// At most so many tokens are generated.
    public let budget: Int
    /// Whether its figures stand beside the averages and do not count in them: MNLI's other half.
    public let isBeside: Bool
    /// Gold answers, by example.
    public let gold: [GoldAnswer]
    /// What messages call an example.
    public var exampleName: @Sendable (Int) -> String = { "example \($0)" }
    /// Source tokens of an example, the end token included.
    public let source: @Sendable (Int) -> UnsafeBufferPointer<Int32>

    /// Creates a split to evaluate.
    public init(
        name: String, task: Int, space: AnswerSpace, metrics: [Metric],
        positive: PositiveClass? = nil, budget: Int, isBeside: Bool = false,
        gold: [GoldAnswer], source: @escaping @Sendable (Int) -> UnsafeBufferPointer<Int32>
    ) {
        self.name = name
        self.task = task
        self.space = space
        self.metrics = metrics
        self.positive = positive
        self.budget = budget
        self.isBeside = isBeside
        self.gold = gold
        self.source = source
    }
}
