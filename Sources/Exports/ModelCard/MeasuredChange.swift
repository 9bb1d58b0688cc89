import Foundation
package import Runs
import Tasks

/// How the figures of a task differ between the run's own adapter and what was exported, on the same examples.
package struct MeasuredChange: Sendable {
    /// One figure.
    struct Figure: Sendable {
        let name: String
        let own: Double
        let exported: Double
    }

    /// Name of the task.
    package let task: String
    let examples: Int
    let figures: [Figure]
    /// How many examples are answered with another label, number or text.
    package let differingAnswers: Int

    /// Compares two evaluations of one task.
    package init(_ own: EvaluatedTask, _ exported: EvaluatedTask) {
        precondition(own.name == exported.name && own.scores.examples == exported.scores.examples, "another split")
        task = own.name
        examples = own.scores.examples
        figures = zip(own.scores.figures, exported.scores.figures).map {
            Figure(name: $0.metric.rawValue, own: $0.value, exported: $1.value)
        }
        differingAnswers = own.answers.flatMap { own in exported.answers.map { own.differingAnswers(from: $0) } } ?? 0
    }

    /// The largest change of a figure, as a fraction.
    package var largest: Double { figures.map { abs($0.exported - $0.own) }.max() ?? 0 }

    /// One line for people, with figures times 100.
    package var text: String {
        let parts = figures.map { figure in
            "\(figure.name) \(Self.percent(figure.own)) -> \(Self.percent(figure.exported)) "
                + "(\(String(format: "%+.2f", 100 * (figure.exported - figure.own))))"
        }
        return "\(task): \(parts.joined(separator: ", ")); \(differingAnswers) of \(examples) answers differ"
    }

    static func percent(_ value: Double) -> String { String(format: "%.2f", 100 * value) }
}
