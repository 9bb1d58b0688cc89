public import Tasks

/// The scores of one task.
public struct EvaluatedTask: Sendable, Equatable {
    /// Name of the task.
    public let name: String
    /// Its figures.
    public let scores: TaskScores
    /// Whether the scores are shown beside the averages instead of counting in them.
    public var isOutsideAverage = false
    /// The answers behind the scores; nil when they are not known.
    package var answers: AnsweredSplit?

    /// Creates the scores of a task.
    package init(name: String, scores: TaskScores, isOutsideAverage: Bool = false, answers: AnsweredSplit? = nil) {
        self.name = name
        self.scores = scores
        self.isOutsideAverage = isOutsideAverage
        self.answers = answers
    }
}

extension EvaluationRecord {
    /// The line for an evaluation that took `seconds` and used at most `maxExamples` examples of each task. With `hasLabels` it has
    /// the figures of every label.
    package init(
        _ results: [EvaluatedTask], step: Int, split: String, maxExamples: Int? = nil, hasLabels: Bool = false,
        seconds: Double
    ) {
        let average = ScoreAverage(results.filter { !$0.isOutsideAverage }.map(\.scores))
        let examples = results.reduce(0) { $0 + $1.scores.examples }
        self.init(
            step: step, split: split, maxExamples: maxExamples, average: average?.overFigures ?? 0,
            averagedFigures: average?.figures ?? 0,
            averageOverTasks: average?.overTasks ?? 0,
            tasks: Dictionary(
                uniqueKeysWithValues: results.map { result in
                    let figures = result.scores.figures
                    return (
                        result.name,
                        Task(
                            figures: Dictionary(uniqueKeysWithValues: figures.map { ($0.metric.rawValue, $0.value) }),
                            examples: result.scores.examples, invalidAnswers: result.scores.invalidAnswers,
                            undefined: figures.filter(\.isUndefined).map(\.metric.rawValue),
                            positive: result.scores.positive,
                            labels: hasLabels && !result.scores.labels.isEmpty ? result.scores.labels : nil)
                    )
                }),
            timing: Timing(seconds: seconds, examplesPerSecond: Double(examples) / max(seconds, 1e-9)))
    }
}
