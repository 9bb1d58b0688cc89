package import Failures
package import Foundation
package import Tasks
import Tensors

/// `evaluation-<split>.json` of a run directory, written at the end of a run, or `evaluation-<split>-<step>.json`, written by
/// `evaluate`.
package struct EvaluationFile {
    private let record: EvaluationRecord

    package init(_ record: EvaluationRecord) {
        self.record = record
    }

    package static func path(_ run: RunDirectory, _ split: SplitName, step: Int? = nil) -> String {
        "\(run.path)/evaluation-\(split.rawValue)\(step.map { "-\($0)" } ?? "").json"
    }

    package func json() throws(Failure) -> Data {
        try StableJSON.document(record, "the evaluation")
    }

    /// Writes the file at the end of a run.
    package func write(_ run: RunDirectory, split: SplitName) throws(Failure) {
        try run.write(json(), to: Self.path(run, split))
    }

    /// Writes to `path`. If that file holds figures with another basis, or if something was allowed to have changed, it writes
    /// to a separate file whose name contains the beginning of the basis. Returns the path.
    package func write(beside path: String, in run: RunDirectory) throws(Failure) -> String {
        struct Basis: Decodable {
            var basis: String?
        }
        var place = path
        let isThere = FileManager.default.fileExists(atPath: path)
        let found = try? BoundedJSON.decode(Basis.self, from: BoundedJSON.content(of: path, followingLinks: false))
        if record.changed != nil || (isThere && (found?.basis == nil || found?.basis != record.basis)) {
            place = "\(path.dropLast(".json".count))-\((record.basis ?? "").prefix(8)).json"
        }
        try run.write(json(), to: place)
        return place
    }
}
