import Foundation
public import Tasks
import Tensors

/// Scores as a text table, beside a baseline.
public struct ScoreTable {
    private var rows: [[String]] = []

    /// Creates a table of tasks' figures (times 100) beside those of always giving the most frequent answer.
    public init(_ results: [EvaluatedTask], baseline: [String: TaskScores]) {
        rows.append(["task", "examples", "figure", "value", "baseline", "no answer"])
        for result in results {
            for (position, figure) in result.scores.figures.enumerated() {
                let base = baseline[result.name]?.figures.first { $0.metric == figure.metric }
                rows.append([
                    position == 0 ? result.name : "", position == 0 ? "\(result.scores.examples)" : "",
                    Self.name(figure.metric, result.scores) + (figure.isUndefined ? " (undefined)" : "")
                        + (result.isOutsideAverage ? " (beside)" : ""), Self.percent(figure.value),
                    base.map { Self.percent($0.value) } ?? "", position == 0 ? Self.invalid(result.scores) : "",
                ])
            }
        }
        let counted = results.filter { !$0.isOutsideAverage }
        let scores = counted.map(\.scores)
        let bases = counted.compactMap { baseline[$0.name] }
        guard let average = ScoreAverage(scores) else { return }
        let baseAverage = bases.count == scores.count ? ScoreAverage(bases) : nil
        rows.append([
            "average", "", "of \(average.figures) figures", Self.percent(average.overFigures),
            baseAverage.map { Self.percent($0.overFigures) } ?? "", "",
        ])
        rows.append([
            "", "", "of \(average.tasks) tasks", Self.percent(average.overTasks),
            baseAverage.map { Self.percent($0.overTasks) } ?? "", "",
        ])
    }

    /// The table, one line per row.
    public var text: String { TextTable(rows, left: [0, 2]).text }

    /// The number of answers that are none; of free text, of those that the budget cut off.
    private static func invalid(_ scores: TaskScores) -> String {
        let isText = scores.figures.contains { $0.metric.applies(to: .texts) }
        return "\(scores.invalidAnswers)" + (isText && scores.invalidAnswers > 0 ? " cut off" : "")
    }

    /// A figure's name; for F1 with the label for which it is computed.
    private static func name(_ metric: Metric, _ scores: TaskScores) -> String {
        guard metric == .f1, let positive = scores.positive else { return metric.rawValue }
        return "f1 (positive \(positive.shown))"
    }

    private static func percent(_ value: Double) -> String { String(format: "%.1f", 100 * value) }
}
