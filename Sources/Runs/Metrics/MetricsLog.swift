package import Failures
import Foundation
import Tensors

/// Appends to `metrics.jsonl`; only rank 0 has one.
package final class MetricsLog: Sendable {
    private let file: GrowingFile

    /// The point from which a run continues.
    package struct Start {
        /// Completed steps; lines of later steps are removed, and so is an unfinished line.
        package var step: Int
        /// Whether the evaluation of `step` must still be made; if so, a line about it is removed.
        package var owesEvaluation = false
        /// The line about `step` that must be in the file.
        package var record: TrainRecord?
        /// The line about the tasks' gradients at `step` that must be in the file.
        package var interference: InterferenceRecord?

        /// Creates the value.
        package init(
            step: Int, owesEvaluation: Bool = false, record: TrainRecord? = nil,
            interference: InterferenceRecord? = nil
        ) {
            self.step = step
            self.owesEvaluation = owesEvaluation
            self.record = record
            self.interference = interference
        }

        /// `record`, if the file lacks it.
        package func missing(in log: MetricsLog) -> TrainRecord? {
            record.flatMap { $0.step == step && log.last.trained < step ? $0 : nil }
        }

        /// `interference`, if the file lacks it.
        package func missingInterference(in log: MetricsLog) -> InterferenceRecord? {
            interference.flatMap { $0.step == step && log.last.measured < step ? $0 : nil }
        }
    }

    /// Steps of the last lines of some kinds that the file had when it was opened; 0 if there was none.
    struct Last: Equatable {
        /// About training.
        var trained = 0
        /// About the tasks' gradients.
        var measured = 0
    }

    let last: Last

    /// Opens the file for appending.
    package init(path: String, _ start: Start) throws(Failure) {
        last = try Self.truncate(path, start)
        file = try GrowingFile(appendingTo: path)
    }

    /// Appends one line.
    package func append(_ record: some Encodable) throws(Failure) {
        try file.append([UInt8](StableJSON.line(record, "a line of metrics")) + [0x0A])
    }

    /// Waits until all lines are on the disk.
    package func synchronise() throws(Failure) { try file.synchronise() }

    private struct Stepped: Decodable {
        var step: Int
        var kind: String?
    }

    private static func truncate(_ path: String, _ start: Start) throws(Failure) -> Last {
        var old = Data()
        if FileManager.default.fileExists(atPath: path) {
            let file = try MappedFile(path: path, followingLinks: false)
            old = withExtendedLifetime(file) { unsafe Data(file.bytes) }
        }
        let (kept, last) = lines(of: old, start)
        guard kept != old || old.isEmpty else { return last }
        try DurableFile.replace(path) { file throws(Failure) in try file.write([UInt8](kept)) }
        return last
    }

    /// The lines of the old content that are kept, each with its line end, and the steps of the last ones.
    static func lines(of old: Data, _ start: Start) -> (kept: Data, last: Last) {
        var kept = Data()
        var last = Last()
        for line in old.split(separator: 0x0A) {
            // Lines of a run are in the order of their steps; the first one that is later or torn, and all after it, are
            // dropped.
            guard let parsed = try? BoundedJSON.decode(Stepped.self, from: line), parsed.step <= start.step else {
                break
            }
            if start.owesEvaluation, parsed.step == start.step, parsed.kind == "evaluation" { break }
            if parsed.kind == "train" { last.trained = parsed.step }
            if parsed.kind == "interference" { last.measured = parsed.step }
            kept.append(contentsOf: line)
            kept.append(0x0A)
        }
        return (kept, last)
    }
}
