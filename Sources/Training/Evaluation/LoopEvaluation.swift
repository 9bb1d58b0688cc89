import Failures
import MPI
import Tasks

/// The evaluation that the training loop makes from time to time.
struct LoopEvaluation {
    let evaluator: Evaluator
    /// Gives it up when the job is to end.
    let stop: EvaluationStop
    let tasks: [EvaluationTask]
    /// Name of the evaluated split.
    let split: String
    /// The mean that the best checkpoint is greatest in.
    let best: BestMeasure
    /// Whether all ranks share the decoding.
    let isSpread: Bool

    /// What the best checkpoint is best in, in words that a checkpoint keeps.
    var bestName: String { "\(split) \(best.rawValue)" }

    /// Evaluates on rank 0, or on all ranks; collective. The results come back on rank 0.
    func run(_ team: WorkerTeam, _ world: Communicator) throws(Failure) -> EvaluationStop.Ending<[EvaluatedTask]> {
        try stop.watch(onAllRanks: isSpread) { () throws(Failure) in
            try evaluator.evaluate(tasks, team: team, over: isSpread ? world : nil)
        }
    }
}

/// The mean of an evaluation that the best checkpoint is greatest in.
enum BestMeasure: String, Sendable {
    /// Over all figures.
    case average
    /// Over the tasks' own means.
    case taskMean

    func value(_ record: EvaluationRecord) -> Double {
        switch self {
        case .average: record.average
        case .taskMean: record.averageOverTasks
        }
    }
}

extension EvaluationRecord {
    /// The line for an evaluation that took `seconds`.
    init(_ results: [EvaluatedTask], step: Int, split: String, seconds: Double) {
        let average = ScoreAverage(results.filter { !$0.isBeside }.map(\.scores))
        let examples = results.reduce(0) { $0 + $1.scores.examples }
        self.init(
            step: step, split: split, average: average?.overFigures ?? 0, averagedFigures: average?.figures ?? 0,
            averageOverTasks: average?.overTasks ?? 0,
            tasks: Dictionary(
                uniqueKeysWithValues: results.map { result in
                    let figures = result.scores.figures
                    return (
                        result.name,
                        Task(
                            figures: Dictionary(uniqueKeysWithValues: figures.map { ($0.metric.rawValue, $0.value) }),
                            examples: result.scores.examples, invalidAnswers: result.scores.invalidAnswers,
                            undefined: figures.filter(\.isUndefined).map(\.metric.rawValue))
                    )
                }),
            timing: Timing(seconds: seconds, examplesPerSecond: Double(examples) / max(seconds, 1e-9)))
    }
}
