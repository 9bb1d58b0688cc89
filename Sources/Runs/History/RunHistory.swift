import Foundation
package import Tasks
import Tensors

/// Everything that a run has logged, in order, for reports.
package struct RunHistory {
    /// The lines about training.
    package var training: [TrainRecord] = []
    /// The lines about evaluations during the training.
    package var evaluations: [EvaluationRecord] = []
    /// The lines about the gradients of the tasks.
    package var interference: [InterferenceRecord] = []
    /// What became of the run.
    package var condition = RunCondition.unknown
    /// The figures of the best checkpoint at the end, by split; empty for a run that is not finished.
    package var figures: [SplitName: EvaluationRecord] = [:]

    /// A run of which nothing is known.
    package init() {}

    /// Reads the files of a run directory, of which `condition` is known. What is absent or cannot be read is left out: a running
    /// job may be writing it.
    package init(_ run: RunDirectory, _ condition: RunCondition) {
        self.condition = condition
        for split in [SplitName.validation, .test] {
            let content = try? BoundedJSON.content(of: EvaluationFile.path(run, split), followingLinks: false)
            figures[split] = content.flatMap { try? BoundedJSON.decode(EvaluationRecord.self, from: $0) }
        }
        guard let file = try? MappedFile(path: run.metrics, followingLinks: false) else { return }
        let text = withExtendedLifetime(file) { unsafe Data(file.bytes) }
        for line in text.split(separator: UInt8(ascii: "\n")) { add(line) }
    }

    private struct Kind: Decodable {
        var kind: String
    }

    private mutating func add(_ line: Data) {
        switch (try? BoundedJSON.decode(Kind.self, from: line))?.kind {
        case "train":
            if let record = try? BoundedJSON.decode(TrainRecord.self, from: line) { training.append(record) }
        case "evaluation":
            if let record = try? BoundedJSON.decode(EvaluationRecord.self, from: line) { evaluations.append(record) }
        case "interference":
            let record = try? BoundedJSON.decode(InterferenceRecord.self, from: line)
            if let record, record.isWhole { interference.append(record) }
        default: break
        }
    }
}
