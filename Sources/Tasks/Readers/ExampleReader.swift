import Failures
import Tensors

/// Reads the rows of one file of a task as source texts, gold answers and groups.
struct ExampleReader: Sendable {
    /// The result of reading a row.
    enum Outcome: Equatable {
        case example(GoldAnswer)
        /// The row's label is one that the task leaves out.
        case ignored
        /// Too few columns, in a task that leaves such rows out.
        case incomplete
        case bad(String)
    }

    /// The row's source text.
    private(set) var source = RenderedSource()
    private var record: Record
    private var reader: any RecordReader
    private let definition: TaskDefinition
    private let classOfLabel: [String: Int]

    init(_ file: TextFile, _ definition: TaskDefinition) throws(Failure) {
        let columns = definition.fields.map(\.column) + [definition.label] + [definition.group].compactMap(\.self)
        switch definition.format {
        case .tsv(let hasHeader, let count, let ragged):
            reader = try TSVReader(
                file, hasHeader: hasHeader, columnCount: count, isRagged: ragged ?? false, columns: columns)
        case .csv(let hasHeader, let count):
            reader = try CSVReader(file, hasHeader: hasHeader, columnCount: count, columns: columns)
        case .jsonLines:
            reader = try JSONLReader(
                file, columns: columns, listColumn: definition.answers == .texts ? definition.fields.count : nil)
        case .jsonRows(let place): reader = try JSONRowsReader(file, rows: place, columns: columns)
        }
        record = Record(valueCount: columns.count)
        self.definition = definition
        classOfLabel = Dictionary(uniqueKeysWithValues: definition.labels.entries.map { ($0.label, $0.index) })
    }

    /// The group of the last row; nil without groups.
    var group: ArraySlice<UInt8>? { definition.group == nil ? nil : record[definition.fields.count + 1] }

    /// The start of the last row.
    var position: RowPosition { record.position }

    /// Continues with the row that starts at `position`.
    mutating func seek(to position: RowPosition) {
        reader.seek(to: position)
    }

    /// Reads the next row; nil at the end of the file.
    mutating func next() -> Outcome? {
        guard let outcome = reader.next(&record) else { return nil }
        switch outcome {
        case .incomplete where definition.leavesOutIncompleteRows: return .incomplete
        case .incomplete(let reason), .malformed(let reason): return .bad(reason)
        case .complete: break
        }
        source.removeAll()
        definition.template.render(into: &source) { record[$0] }
        return answer(String(decoding: record[definition.fields.count], as: UTF8.self))
    }

    private func answer(_ label: String) -> Outcome {
        guard label.isStreamSafe else {
            let kind = definition.answers == .texts ? "answer" : "label"
            return .bad("the \(kind) has more than 30 combining marks in a row")
        }
        switch definition.answers {
        case .classes:
            if let index = classOfLabel[label] { return .example(.label(index)) }
            if definition.labels.ignored.contains(label) { return .ignored }
            return .bad(
                "the label \"\(label.shown)\" is none of \(definition.labels.allowed); correct it or add it to the task"
            )
        case .grades(let minimum, let maximum, _, _):
            guard let score = Self.score(label) else {
                return .bad("the score \"\(label.shown)\" is not a number")
            }
            guard score >= minimum, score <= maximum else {
                return .bad("the score \(label.shown) is outside of \(minimum) to \(maximum)")
            }
            return .example(.score(score))
        case .texts:
            guard record.furtherTexts.allSatisfy(\.isStreamSafe) else {
                return .bad("an answer has more than 30 combining marks in a row")
            }
            return .example(.texts([label] + record.furtherTexts))
        }
    }

    /// A decimal number with an optional exponent; nil for anything else, including "nan" and "inf".
    private static func score(_ text: String) -> Double? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }) else { return nil }
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }
}
