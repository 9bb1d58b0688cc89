package import Configuration
package import Tasks
import Tensors

/// Defines the figures that choose a run's best checkpoint. Only figures with the same measure can be compared. They also
/// depend on what a run cannot change: its data, tasks and metrics, and the rows that `data.splitSeed` draws. The size of an
/// evaluation batch changes no answer.
package struct BestMeasure: Equatable {
    /// The mean of an evaluation that is largest for the best checkpoint.
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
            // Labels may contain line ends, but the text is compared line by line.
            "the positive labels of f1: \(labels.isEmpty ? "none" : labels.replacing("\n", with: " "))",
        ].joined(separator: "\n")
    }

    /// The difference from the measure of an earlier figure, as a part of a sentence; nil when the two can be compared.
    ///
    /// - Parameter earlier: The resolved configuration of the previous job. Checkpoints of earlier versions only contain split
    ///   and mean; for them this configuration gives the rest.
    package func difference(from old: String, earlier: RunConfiguration?) -> String? {
        guard old != text else { return nil }
        if old.contains("\n") { return RunConfiguration.differences(from: old, to: text).joined(separator: ", ") }
        guard let earlier else { return "\(old.shown) was asked for, with an unknown number of examples" }
        // In those versions F1 was always computed for the second label.
        let second = earlier.tasks.compactMap { task -> (String, String)? in
            switch task {
            case .glue(let name): return ["mrpc", "qqp"].contains(name) ? (name, "1") : nil
            case .superglue: return nil
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

    /// Whether a value is better than the best one so far; NaN never is.
    package static func isBest(_ value: Double, of record: EvaluationRecord, beside best: RunState.Best?) -> Bool {
        guard value.isFinite, record.averagedFigures > 0 else { return false }
        return best.map { value > $0.value } ?? true
    }
}

extension BestChoice {
    /// The mean of an evaluation that this measure names.
    package func value(_ record: EvaluationRecord) -> Double {
        switch self {
        case .average: record.average
        case .taskMean: record.averageOverTasks
        }
    }
}
