import Failures
import Heartbeat
import Tensors

/// A file of a task with the positions of its examples; texts are read again when they are needed.
struct IndexedFile: Sendable {
    struct Row: Sendable {
        let position: RowPosition
        let answer: IndexedAnswer
        /// The digest of the source text.
        let text: ContentDigest
    }

    /// The gold answer of a row in few bytes; texts are read again when they are needed.
    enum IndexedAnswer: Sendable, Equatable {
        /// The class.
        case label(Int)
        /// The raw score.
        case score(Double)
        /// The digest of the text that the model is to give.
        case text(ContentDigest)

        init(_ gold: GoldAnswer) {
            switch gold {
            case .label(let label): self = .label(label)
            case .score(let score): self = .score(score)
            case .texts(let texts): self = .text(ContentDigest(of: texts[0]))
            }
        }
    }

    let path: String
    /// The digest of the file as it is on the disk.
    let digest: ContentDigest
    /// The digest of its text, which is another one if the file is packed.
    let textDigest: ContentDigest
    /// Reads the file; copies of the reader are independent.
    let reader: ExampleReader
    let rows: [Row]
    /// The digest of each row's group; empty without groups.
    let groups: [ContentDigest]
    let report: TaskReport.File

    /// Reads every row. Throws `inputMissing` for a file that cannot be read, and `badData` for a bad row (unless bad rows are
    /// skipped) or a file without examples.
    init(_ path: String, _ definition: TaskDefinition, onBadRow: BadRowPolicy) throws(Failure) {
        let file = try TextFile(path: path)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        (digest, textDigest) = (file.digest, file.textDigest)
        reader = try ExampleReader(file, definition)
        var cursor = reader
        var rows: [Row] = []
        var groups: [ContentDigest] = []
        var report = TaskReport.File(name: name)
        while let outcome = cursor.next() {
            if cursor.position.line % 4_096 == 0 { Heartbeat.beat() }
            switch outcome {
            case .example(let gold):
                let text = unsafe cursor.source.text.withUnsafeBytes { unsafe ContentDigest(of: $0) }
                rows.append(Row(position: cursor.position, answer: IndexedAnswer(gold), text: text))
                if let group = cursor.group {
                    groups.append(unsafe group.withUnsafeBytes { unsafe ContentDigest(of: $0) })
                }
            case .ignored:
                report.ignoredRows += 1
            case .incomplete:
                report.incompleteRows += 1
            case .bad(let reason):
                guard onBadRow == .skip else {
                    throw Failure(
                        .badData,
                        "\(path.shown):\(cursor.position.line): \(reason); correct the row, or remove it; a run with "
                            + "data.onBadRow: skip leaves bad rows out")
                }
                report.badRows += 1
                report.firstBadRow = report.firstBadRow ?? "\(name.shown):\(cursor.position.line): \(reason)"
            }
        }
        report.examples = rows.count
        if rows.isEmpty {
            let reason = report.firstBadRow.map { " (first bad row: \($0))" } ?? ""
            throw Failure(.badData, "\(path.shown) has no usable row\(reason); give a file with rows")
        }
        self.path = path
        self.rows = rows
        self.groups = groups
        self.report = report
    }
}
