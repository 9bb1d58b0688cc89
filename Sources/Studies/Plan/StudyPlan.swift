import Configuration
import Foundation

/// What a study will take, as text.
package struct StudyPlan {
    /// What a run of a line takes.
    package struct Estimate: Equatable {
        /// Seconds of a step; nil when they are not known.
        package var secondsPerStep: Double
        /// Bytes of a checkpoint.
        package var checkpointBytes: Int
        /// Checkpoints that remain.
        package var checkpoints: Int

        package init(secondsPerStep: Double, checkpointBytes: Int, checkpoints: Int) {
            self.secondsPerStep = secondsPerStep
            self.checkpointBytes = checkpointBytes
            self.checkpoints = checkpoints
        }
    }

    private let study: Study
    private let estimates: [Estimate]
    private let threads: Int

    /// - Parameters:
    ///   - estimates: one for each run of the study.
    ///   - threads: threads of a run.
    package init(_ study: Study, estimates: [Estimate], threads: Int) {
        self.study = study
        self.estimates = estimates
        self.threads = threads
    }

    /// Seconds of each run.
    private var seconds: [Double] {
        zip(study.runs, estimates).map { Double($0.configuration.steps) * $1.secondsPerStep }
    }

    private var bytes: [Double] {
        estimates.map { Double($0.checkpointBytes) * Double($0.checkpoints) }
    }

    /// Seconds of the whole study when each place takes the next run as soon as it is free.
    package static func makespan(_ seconds: [Double], parallel: Int) -> Double {
        var places = [Double](repeating: 0, count: max(1, parallel))
        for run in seconds {
            let next = places.indices.min { (places[$0], $0) < (places[$1], $1) } ?? 0
            places[next] += run
        }
        return places.max() ?? 0
    }

    package var text: String {
        let (seconds, bytes) = (seconds, bytes)
        var lines = [
            "row".padding(toLength: width, withPad: " ", startingAt: 0)
                + "  runs  steps of a run      hours  GiB on disk"
        ]
        for (index, line) in study.lines.enumerated() {
            let own = study.runs.indices.filter { study.runs[$0].line == index }
            let (least, most) = (line.steps.min() ?? 0, line.steps.max() ?? 0)
            let steps = least == most ? "\(most)" : "\(least) to \(most)"
            lines.append(
                line.title.padding(toLength: width, withPad: " ", startingAt: 0)
                    + String(format: "  %4d  ", own.count) + steps.padding(toLength: 16, withPad: " ", startingAt: 0)
                    + String(
                        format: "  %8.2f  %11.3f", own.reduce(0) { $0 + seconds[$1] } / 3600,
                        own.reduce(0) { $0 + bytes[$1] } / 0x1p30))
        }
        let total = Self.makespan(seconds, parallel: study.file.parallel) / 3600
        lines.append(
            "\(study.runs.count) runs, \(study.file.parallel) at once with \(threads) thread(s) each: about "
                + "\(String(format: "%.2f", total)) hours or more of training on this machine, evaluation not counted, and "
                + "\(String(format: "%.3f", bytes.reduce(0, +) / 0x1p30)) GiB of checkpoints")
        if study.lines.contains(where: { $0.steps.count > 1 }) {
            lines.append(
                "budget: a run of task t makes the steps of all tasks times the share of t in the mixture, so each task is seen "
                    + "as often in every row, unless the row says budget: own")
        }
        if study.scalesSteps {
            lines.append(
                "budget: a row with another batch.global makes as many steps as give it the same number of examples, rounded, unless "
                    + "it sets train.steps or says budget: own")
        }
        return (lines + study.notices.map { "note: \($0)" }).joined(separator: "\n")
    }

    private var width: Int { max(16, study.lines.map(\.title.count).max() ?? 0) }
}
