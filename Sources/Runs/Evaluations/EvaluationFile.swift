package import Failures
package import Foundation
package import Tasks
import Tensors

/// `evaluation-<split>.json` of a run directory, written at the end of a run, or `evaluation-<split>-<step>.json`, written by
/// `evaluate`. Figures of other data or settings have files of their own, which say in their names what differs.
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

    /// Writes to `path` if the figures are those of the run itself, and otherwise beside it: to a file whose name has the `marks`
    /// of what differs and the beginning of the basis. No file is replaced that has figures with another basis. Returns the path.
    package func write(beside path: String, marks: [String], in run: RunDirectory) throws(Failure) -> String {
        let basis = record.basis ?? ""
        let stem = ([String(path.dropLast(".json".count))] + marks.map(Self.word)).joined(separator: "-")
        let places =
            (marks.isEmpty ? [path] : []) + ["\(stem)-\(basis.prefix(8)).json", "\(stem)-\(basis).json"]
        var place = places.first { !isTaken($0) } ?? places[places.count - 1]
        var number = 2
        while isTaken(place) {
            place = "\(stem)-\(basis)-\(number).json"
            number += 1
        }
        try run.write(json(), to: place)
        return place
    }

    /// Whether a file is there that has, as far as it can be read, other figures than these.
    private func isTaken(_ path: String) -> Bool {
        struct Basis: Decodable {
            var basis: String?
        }
        guard FileManager.default.fileExists(atPath: path) else { return false }
        let found = try? BoundedJSON.decode(Basis.self, from: BoundedJSON.content(of: path, followingLinks: false))
        return found?.basis == nil || found?.basis != record.basis
    }

    /// A text as a part of a file's name.
    private static func word(_ text: String) -> String {
        String(text.prefix(40).map { $0.isASCII && ($0.isLetter || $0.isNumber || "_.".contains($0)) ? $0 : "-" })
    }
}
