import Failures
import MPI
import Tasks

/// The evaluation that the training loop makes from time to time.
struct LoopEvaluation {
    let evaluator: Evaluator
    /// Gives it up when the job is to end.
    let stop: EvaluationStop
    let tasks: [EvaluationTask]
    /// What the best checkpoint is greatest in, with the evaluated split.
    let best: BestMeasure
    /// At most so many examples of a task are evaluated; nil for all.
    let maxExamples: Int?
    /// Whether all ranks share the decoding.
    let isSpread: Bool

    /// Name of the evaluated split.
    var split: String { best.split }

    /// Evaluates on rank 0, or on all ranks; collective. The results come back on rank 0.
    func run(_ team: WorkerTeam, _ world: Communicator) throws(Failure) -> EvaluationStop.Ending<[EvaluatedTask]> {
        try stop.watch(onAllRanks: isSpread) { () throws(Failure) in
            try evaluator.evaluate(tasks, team: team, over: isSpread ? world : nil)
        }
    }
}

extension EvaluationRecord {
    /// The line for an evaluation that took `seconds`, of at most `maxExamples` examples of each task.
    init(_ results: [EvaluatedTask], step: Int, split: String, maxExamples: Int? = nil, seconds: Double) {
        let average = ScoreAverage(results.filter { !$0.isBeside }.map(\.scores))
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
                            positive: result.scores.positive)
                    )
                }),
            timing: Timing(seconds: seconds, examplesPerSecond: Double(examples) / max(seconds, 1e-9)))
    }
}
