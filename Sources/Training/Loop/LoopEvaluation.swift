import Failures
import Foundation
import MPI
package import Runs
import Tasks

/// The evaluation that the training loop runs from time to time.
package struct LoopEvaluation {
    let evaluator: Evaluator
    /// Abandons the evaluation when the job must end.
    let stop: EvaluationStop
    let tasks: [EvaluationTask]
    /// The measure that is largest for the best checkpoint; it includes the evaluated split.
    let best: BestMeasure
    /// Largest number of examples that are evaluated per task; nil for all.
    let maxExamples: Int?
    /// Whether all ranks share the decoding.
    let isSpread: Bool

    /// Creates the evaluation of a run.
    package init(
        evaluator: Evaluator, stop: EvaluationStop, tasks: [EvaluationTask], best: BestMeasure, maxExamples: Int?,
        isSpread: Bool
    ) {
        self.evaluator = evaluator
        self.stop = stop
        self.tasks = tasks
        self.best = best
        self.maxExamples = maxExamples
        self.isSpread = isSpread
    }

    /// Name of the evaluated split.
    var split: String { best.split }

    /// Evaluates on rank 0 or on all ranks; collective. Returns the results on rank 0.
    func run(_ team: EngineTeam, _ world: Communicator) throws(Failure) -> EvaluationStop.Ending<[EvaluatedTask]> {
        try stop.watch(onAllRanks: isSpread) { () throws(Failure) in
            try evaluator.evaluate(tasks, team: team, over: isSpread ? world : nil)
        }
    }

    /// The figures of all tasks, times 100, as in `cola matthews 41.2; mrpc accuracy 80.1, f1 86.0`.
    func figures(of record: EvaluationRecord) -> String {
        tasks.compactMap { task in
            guard let found = record.tasks[task.name] else { return nil }
            let figures = task.metrics.compactMap { metric in
                found.figures[metric.rawValue].map { "\(metric.rawValue) \(String(format: "%.1f", 100 * $0))" }
            }
            return "\(task.name) \(figures.joined(separator: ", "))"
        }.joined(separator: "; ")
    }
}
