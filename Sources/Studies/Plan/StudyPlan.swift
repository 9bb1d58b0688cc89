import Configuration
import Foundation

/// What a study will take, as text.
package struct StudyPlan {
    /// What a run of a line takes.
    package struct Estimate: Equatable {
        /// Seconds of the whole run.
        package var seconds: Double
        /// Bytes of a checkpoint.
        package var checkpointBytes: Int
        /// Checkpoints that remain.
        package var checkpoints: Int

        package init(seconds: Double, checkpointBytes: Int, checkpoints: Int) {
            self.seconds = seconds
            self.checkpointBytes = checkpointBytes
            self.checkpoints = checkpoints
        }
    }

    private let study: Study
    private let estimates: [Estimate]
    private let threads: Int
    private let basis: String

    /// - Parameters:
    ///   - estimates: one for each run of the study.
    ///   - threads: threads of a run.
    ///   - basis: where the times come from.
    package init(_ study: Study, estimates: [Estimate], threads: Int, basis: String) {
        self.study = study
        self.estimates = estimates
        self.threads = threads
        self.basis = basis
    }

    /// Seconds of each run.
    private var seconds: [Double] { estimates.map(\.seconds) }

    private var bytes: [Double] {
        estimates.map { Double($0.checkpointBytes) * Double($0.checkpoints) }
    }

    /// Seconds of the whole study when each place takes the next run that can begin as soon as it is free. `origins` has the
    /// number of the run that must have ended before a run begins, which is smaller than the run's own; nil for none.
    package static func makespan(_ seconds: [Double], origins: [Int?]? = nil, parallel: Int) -> Double {
        var places = [Double](repeating: 0, count: max(1, parallel))
        var ends = [Double](repeating: 0, count: seconds.count)
        var waiting = Array(seconds.indices)
        func ready(_ run: Int) -> Double {
            (origins?[run] ?? nil).map { waiting.contains($0) ? .infinity : ends[$0] } ?? 0
        }
        while !waiting.isEmpty {
            let place = places.indices.min { (places[$0], $0) < (places[$1], $1) } ?? 0
            // Of runs that must wait, the first one to be ready is next.
            let next = waiting.indices.min {
                (max(ready(waiting[$0]), places[place]), $0) < (max(ready(waiting[$1]), places[place]), $1)
            }
            guard let next else { break }
            let run = waiting[next]
            places[place] = max(places[place], ready(run)) + seconds[run]
            ends[run] = places[place]
            waiting.remove(at: next)
        }
        return ends.max() ?? 0
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
        let origins = study.runs.map { run in run.origin.flatMap { name in study.runs.firstIndex { $0.name == name } } }
        let total = Self.makespan(seconds, origins: origins, parallel: study.file.parallel) / 3600
        lines.append(
            "\(study.runs.count) runs, \(study.file.parallel) at once with \(threads) thread(s) each: about "
                + "\(String(format: "%.2f", total)) hours on this machine, with start and evaluations (\(basis)), and "
                + "\(String(format: "%.3f", bytes.reduce(0, +) / 0x1p30)) GiB of checkpoints")
        let later = study.runs.count { $0.origin != nil }
        if later > 0 {
            lines.append("from: \(later) runs wait for the run with whose adapter they begin")
        }
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
