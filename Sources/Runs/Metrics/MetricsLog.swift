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

        /// Creates the value.
        package init(step: Int, owesEvaluation: Bool = false, record: TrainRecord? = nil) {
            self.step = step
            self.owesEvaluation = owesEvaluation
            self.record = record
        }

        /// `record`, if the file lacks it.
        package func missing(in log: MetricsLog) -> TrainRecord? {
            record.flatMap { $0.step == step && log.lastTrained < step ? $0 : nil }
        }
    }

    /// Step of the last line about training that the file had when it was opened; 0 if there was none.
    let lastTrained: Int

    /// Opens the file for appending.
    package init(path: String, _ start: Start) throws(Failure) {
        lastTrained = try Self.truncate(path, start)
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

    private static func truncate(_ path: String, _ start: Start) throws(Failure) -> Int {
        var old = Data()
        if FileManager.default.fileExists(atPath: path) {
            let file = try MappedFile(path: path, followingLinks: false)
            old = withExtendedLifetime(file) { unsafe Data(file.bytes) }
        }
        let (kept, lastTrained) = lines(of: old, start)
        guard kept != old || old.isEmpty else { return lastTrained }
        try DurableFile.replace(path) { file throws(Failure) in try file.write([UInt8](kept)) }
        return lastTrained
    }

    /// The lines of the old content that are kept, each with its line end, and the step of the last one about training.
    static func lines(of old: Data, _ start: Start) -> (kept: Data, lastTrained: Int) {
        var kept = Data()
        var lastTrained = 0
        for line in old.split(separator: 0x0A) {
            // Lines of a run are in the order of their steps; the first one that is later or torn, and all after it, are
            // dropped.
            guard let parsed = try? BoundedJSON.decode(Stepped.self, from: line), parsed.step <= start.step else {
                break
            }
            if start.owesEvaluation, parsed.step == start.step, parsed.kind == "evaluation" { break }
            if parsed.kind == "train" { lastTrained = parsed.step }
            kept.append(contentsOf: line)
            kept.append(0x0A)
        }
        return (kept, lastTrained)
    }
}
