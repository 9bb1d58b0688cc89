import Configuration
import Failures
import Foundation
import Tasks
import Tensors

/// What the figures that choose the best checkpoint of a run are of. Figures of one measure compare; beside it they depend on
/// what a run cannot change: its data, tasks and metrics, and the rows that `data.splitSeed` draws. The size of an evaluation
/// batch changes no answer.
package struct BestMeasure: Equatable {
    /// The mean of an evaluation that the best checkpoint is greatest in.
    package let mean: BestChoice
    package let split: String
    /// A line for each key that decides the figures, and one for the positive labels of the tasks with F1.
    package let text: String

    package init(_ configuration: RunConfiguration, _ definitions: [TaskDefinition]) {
        self.init(
            configuration, positive: definitions.compactMap { task in task.positiveClass.map { (task.name, $0.label) } }
        )
    }

    private init(_ configuration: RunConfiguration, positive: [(task: String, label: String)]) {
        mean = configuration.checkpointBest
        split = configuration.evaluationSplit
        let labels = positive.map { "\($0.task): \($0.label)" }.joined(separator: ", ")
        text = [
            "checkpoint.best: \(mean.rawValue)", "eval.split: \(split)",
            "eval.maxExamples: \(configuration.evaluationMaxExamples.map(String.init) ?? "null")",
            "eval.maxNewTokens: \(configuration.maxNewTokens.map(String.init) ?? "null")",
            // Labels may hold anything, and lines are what is compared.
            "the positive labels of f1: \(labels.isEmpty ? "none" : labels.replacing("\n", with: " "))",
        ].joined(separator: "\n")
    }

    /// What differs from the measure of an earlier figure, as a part of a sentence; nil where the two compare.
    ///
    /// - Parameter earlier: The resolved configuration of the job before. Of checkpoints of earlier versions, which only
    ///   say split and mean, it tells the rest.
    package func difference(from old: String, earlier: RunConfiguration?) -> String? {
        guard old != text else { return nil }
        if old.contains("\n") { return RunConfiguration.differences(from: old, to: text).joined(separator: ", ") }
        guard let earlier else { return "\(old.shown) was asked for, of how many examples is not known" }
        // In those versions F1 was always that of the second label.
        let second = earlier.tasks.compactMap { task -> (String, String)? in
            switch task {
            case .glue(let name): return ["mrpc", "qqp"].contains(name) ? (name, "1") : nil
            case .custom(let custom):
                guard custom.metrics.contains("f1"), custom.labels.count > 1 else { return nil }
                return (custom.name, custom.labels[1].label)
            }
        }
        let before = BestMeasure(earlier, positive: second)
        guard old == "\(before.split) \(before.mean.rawValue)" else { return "\(old.shown) was asked for" }
        guard before.text != text else { return nil }
        return RunConfiguration.differences(from: before.text, to: text).joined(separator: ", ")
    }

    /// Whether a value is better than the best so far; what is no number never is.
    package static func isBest(_ value: Double, of record: EvaluationRecord, beside best: RunState.Best?) -> Bool {
        guard value.isFinite, record.averagedFigures > 0 else { return false }
        return best.map { value > $0.value } ?? true
    }
}

extension BestChoice {
    /// The mean of an evaluation that it names.
    package func value(_ record: EvaluationRecord) -> Double {
        switch self {
        case .average: record.average
        case .taskMean: record.averageOverTasks
        }
    }
}
