/// The averages over the tasks of an evaluation.
///
/// The caller chooses which figures count: one split of mnli, and 11 figures for the paper's eight tasks.
public struct ScoreAverage: Sendable, Equatable {
    /// Mean of all figures; a task with two metrics counts twice.
    public let overFigures: Double
    /// Number of figures averaged.
    public let figures: Int
    /// Mean of the tasks' means; every task counts once.
    public let overTasks: Double
    /// Number of tasks averaged.
    public let tasks: Int

    /// Averages the scores of tasks; nil when there is no figure.
    public init?(_ scores: [TaskScores]) {
        let values = scores.flatMap { $0.figures.map(\.value) }
        let means = scores.compactMap(\.mean)
        guard !values.isEmpty else { return nil }
        overFigures = values.reduce(0, +) / Double(values.count)
        figures = values.count
        overTasks = means.reduce(0, +) / Double(means.count)
        tasks = means.count
    }
}
