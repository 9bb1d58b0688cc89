import Foundation
import Tasks
import Tensors

/// The figures of single labels as a text table.
public struct LabelTable {
    /// Tasks with more labels are shown only if that is asked for.
    public static let few = 4
    private var rows: [[String]] = []

    /// Creates the table (times 100) of the tasks with at most `most` labels.
    public init(_ results: [EvaluatedTask], most: Int) {
        for result in results where result.scores.labels.count <= most {
            for (position, label) in result.scores.labels.enumerated() {
                rows.append(
                    [position == 0 ? result.name : "", label.label.shown, "\(label.examples)"]
                        + [label.precision, label.recall, label.f1].map { String(format: "%.1f", 100 * $0) })
            }
        }
    }

    /// The table, one line per row; nil without a label.
    public var text: String? {
        let head = ["task", "label", "examples", "precision", "recall", "f1"]
        return rows.isEmpty ? nil : TextTable([head] + rows, left: [0, 1]).text
    }
}
