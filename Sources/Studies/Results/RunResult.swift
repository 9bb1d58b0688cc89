import Configuration
import Foundation
package import Runs
package import Tasks
import Tensors

/// What a finished run has measured, from the files of its run directory.
package struct RunResult {
    /// Figures of the best checkpoint, by the name of the task.
    package var tasks: [String: EvaluationRecord.Task]
    /// The answers behind them; nil for a run of an earlier version.
    package var answers: AnswersFile?
    /// Examples per second of training; nil when nothing was logged.
    package var examplesPerSecond: Double?
    /// Largest resident memory in bytes.
    package var peakMemory: Int?
    /// What computed it; nil for a run of an earlier version.
    package var computedBy: ComputedBy?

    /// On what the bits of a run's figures depend that its configuration does not say.
    package struct ComputedBy: Hashable {
        /// What computed the products with frozen weights.
        package var products: String
        /// The version of the program's own loops.
        package var loops: String

        package init(products: String, loops: String) {
            self.products = products
            self.loops = loops
        }

        var text: String { "\(products), kernels for \(loops)" }
    }

    package init(
        tasks: [String: EvaluationRecord.Task], answers: AnswersFile? = nil, examplesPerSecond: Double? = nil,
        peakMemory: Int? = nil, computedBy: ComputedBy? = nil
    ) {
        self.tasks = tasks
        self.answers = answers
        self.examplesPerSecond = examplesPerSecond
        self.peakMemory = peakMemory
        self.computedBy = computedBy
    }

    /// Reads the results of a finished run. Nil when its figures cannot be read.
    package init?(_ run: RunDirectory, split: SplitName) {
        let path = EvaluationFile.path(run, split)
        guard
            let record = try? BoundedJSON.decode(
                EvaluationRecord.self, from: BoundedJSON.content(of: path, followingLinks: false))
        else { return nil }
        self.init(
            tasks: record.tasks, answers: AnswersFile.read(run, split),
            examplesPerSecond: Self.rate(run), peakMemory: RunStatus.read(run)?.peakMemory,
            computedBy: record.libraries.map {
                ComputedBy(products: $0["products"] ?? "", loops: $0["kernels"] ?? "")
            })
    }

    private struct Line: Decodable {
        struct Timing: Decodable { var seconds: Double }

        var kind: String
        var examples: Double?
        var timing: Timing
    }

    /// Examples over seconds of all lines about training.
    private static func rate(_ run: RunDirectory) -> Double? {
        guard let file = try? MappedFile(path: run.metrics, followingLinks: false) else { return nil }
        let text = withExtendedLifetime(file) { unsafe Data(file.bytes) }
        var (examples, seconds) = (0.0, 0.0)
        for line in text.split(separator: UInt8(ascii: "\n")) {
            guard let line = try? BoundedJSON.decode(Line.self, from: line), line.kind == "train" else { continue }
            examples += line.examples ?? 0
            seconds += line.timing.seconds
        }
        return seconds > 0 ? examples / seconds : nil
    }
}

/// The results of one line of the table for one seed.
package struct SeedResult {
    package let seed: Int
    /// Figures of the tasks that are finished.
    package let tasks: [String: EvaluationRecord.Task]
    package let answers: [String: AnsweredSplit]
    /// Whether all runs are finished.
    package let isComplete: Bool
    package let runs: [RunResult]

    package init(seed: Int, _ runs: [RunResult], isComplete: Bool) {
        self.seed = seed
        self.runs = runs
        self.isComplete = isComplete
        tasks = runs.reduce(into: [:]) { $0.merge($1.tasks) { first, _ in first } }
        answers = runs.reduce(into: [:]) { $0.merge($1.answers?.tasks ?? [:]) { first, _ in first } }
    }
}
