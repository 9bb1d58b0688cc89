package import Failures
import Foundation
package import Tasks
import Tensors

/// `answers-<split>.json` of a run directory, written at the end of a run: the answers to all examples of the figures in
/// `evaluation-<split>.json`, so that runs can be compared example by example.
package struct AnswersFile: Codable {
    /// Answers by the name of the task.
    package var tasks: [String: AnsweredSplit]

    /// The answers of an evaluation.
    package init(_ results: [EvaluatedTask]) {
        tasks = [:]
        for result in results { tasks[result.name] = result.answers }
    }

    package static func path(_ run: RunDirectory, _ split: SplitName) -> String {
        "\(run.path)/answers-\(split.rawValue).json"
    }

    /// Writes the file at the end of a run.
    package func write(_ run: RunDirectory, split: SplitName) throws(Failure) {
        try run.write(StableJSON.line(self, "the answers"), to: Self.path(run, split))
    }

    /// Reads the file; nil when it does not exist or cannot be used.
    package static func read(_ run: RunDirectory, _ split: SplitName) -> AnswersFile? {
        let file = try? BoundedJSON.decode(
            AnswersFile.self, from: BoundedJSON.content(of: path(run, split), followingLinks: false))
        guard let file, file.tasks.values.allSatisfy(\.isConsistent) else { return nil }
        return file
    }
}
