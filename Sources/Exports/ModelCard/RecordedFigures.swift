import Foundation
package import Runs
import Tasks
import Tensors

/// The figures of a checkpoint that the run has recorded.
package enum RecordedFigures {
    /// At most one evaluation for each split: that of `evaluation-<split>.json` or `evaluation-<split>-<step>.json`, else the last
    /// of `metrics.jsonl`. Evaluations with changed data or settings do not count.
    package static func of(_ run: RunDirectory, step: Int) -> [EvaluationRecord] {
        var found: [EvaluationRecord] = []
        for split in [SplitName.validation, .test] {
            let files = [EvaluationFile.path(run, split), EvaluationFile.path(run, split, step: step)]
            let record = files.lazy.compactMap { path -> EvaluationRecord? in
                guard FileManager.default.fileExists(atPath: path) else { return nil }
                return try? BoundedJSON.decode(
                    EvaluationRecord.self, from: BoundedJSON.content(of: path, followingLinks: false))
            }.first { $0.step == step && $0.changed == nil && $0.split == split.rawValue }
            if let record = record ?? logged(run, split, step: step) { found.append(record) }
        }
        return found
    }

    private static func logged(_ run: RunDirectory, _ split: SplitName, step: Int) -> EvaluationRecord? {
        guard let file = try? MappedFile(path: run.metrics, followingLinks: false) else { return nil }
        let content = withExtendedLifetime(file) { unsafe Data(file.bytes) }
        let marks = ["\"kind\":\"evaluation\"", "\"step\":\(step),"].map { Data($0.utf8) }
        return content.split(separator: 0x0A).last { line in marks.allSatisfy { line.range(of: $0) != nil } }
            .flatMap { try? BoundedJSON.decode(EvaluationRecord.self, from: Data($0)) }
            .flatMap { $0.step == step && $0.split == split.rawValue ? $0 : nil }
    }
}
