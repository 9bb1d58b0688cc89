package import Runs
import Tasks

/// The intervals of one run's figures: each holds 95 % of the resamples, which draw the examples of every task with replacement. They
/// say how much the figures depend on the examples that happen to be in the split, and nothing about seeds.
package struct FigureIntervals: Sendable {
    /// Of the figures that can be computed from the run's answers.
    package private(set) var figures: [StudyFigure: ClosedRange<Double>] = [:]
    /// Of the mean of all figures; nil unless all of them have an interval.
    package private(set) var average: ClosedRange<Double>?

    /// No intervals.
    package init() {}

    /// Draws the examples. Answers that do not give the figures of the record, as after one of the two files was replaced, count as
    /// absent.
    ///
    /// - Parameter tasks: the run's tasks in their order; other tasks of the record stand beside its average.
    package init(
        _ record: EvaluationRecord, _ answers: AnswersFile, tasks: [String], resamples: Int = Resampling.count
    ) {
        var sums = [Double](repeating: 0, count: resamples)
        var counted = 0
        for (number, task) in tasks.enumerated() {
            guard let figures = record.tasks[task]?.figures, let split = answers.tasks[task],
                Self.gives(split, figures)
            else { continue }
            var stream = Resampling.examples(ofTask: number)
            let groups = split.groups?.members
            let draws = (0..<resamples).map { _ in
                split.figures(of: Resampling.sample(of: split.gold.count, groups: groups, &stream))
            }
            for (place, metric) in split.metrics.enumerated() {
                let own = draws.map { $0[place] }
                self.figures[StudyFigure(task: task, metric: metric.rawValue)] = Resampling.interval(of: own)
                for (resample, value) in own.enumerated() { sums[resample] += value }
                counted += 1
            }
        }
        guard counted > 0, counted == record.averagedFigures else { return }
        average = Resampling.interval(of: sums.map { $0 / Double(counted) })
    }

    /// Whether the answers have exactly these figures.
    private static func gives(_ split: AnsweredSplit, _ figures: [String: Double]) -> Bool {
        guard Set(split.metrics.map(\.rawValue)) == Set(figures.keys) else { return false }
        let own = split.figures(of: Array(split.gold.indices))
        return zip(split.metrics, own).allSatisfy { metric, value in
            ((figures[metric.rawValue] ?? .nan) - value).magnitude < 1e-9
        }
    }
}
