import Failures
import Tensors

/// Reads JSON objects of which each has many rows (`TableFormat.jsonRows`).
struct JSONRowsReader: RecordReader {
    private var lines: LineCursor
    private let rows: JSONRows
    /// The start of the line whose rows are held, the rows, and which of them is next.
    private var held: (position: RowPosition, rows: Result<[[String?]], JSONRows.Refusal>)?
    private var part = 0

    /// Opens a file; throws `badData` when it is empty, `badConfiguration` when a column is not a key. `rows` is the place of the
    /// innermost list.
    init(_ file: TextFile, rows place: String, columns: [Column]) throws(Failure) {
        guard unsafe !file.bytes.isEmpty else {
            throw Failure(.badData, "\(file.path.shown) is empty; give a file with rows")
        }
        try JSONLReader.refuseArray(file)
        lines = LineCursor(file)
        rows = JSONRows(of: place, names: try JSONLReader.keys(columns))
    }

    mutating func seek(to position: RowPosition) {
        part = position.part
        guard held?.position.offset != position.offset else { return }
        lines.seek(to: RowPosition(offset: position.offset, line: position.line))
        held = nil
    }

    mutating func next(_ record: inout Record) -> RowOutcome? {
        while true {
            if let held {
                switch held.rows {
                case .success(let values) where part < values.count:
                    var position = held.position
                    position.part = part
                    record.start(at: position)
                    part += 1
                    return fill(&record, values[part - 1])
                case .failure(let refusal) where part == 0:
                    record.start(at: held.position)
                    part = 1
                    return .malformed(refusal.reason)
                default: part = 0
                }
            }
            let rows = rows
            held = unsafe lines.next { line, position in unsafe (position, rows.read(line, line: position.line)) }
            if held == nil { return nil }
        }
    }

    private func fill(_ record: inout Record, _ values: [String?]) -> RowOutcome {
        for (index, value) in values.enumerated() {
            guard let value else { return .incomplete("the row has no value for \"\(rows.names[index].shown)\"") }
            record.set(index, value.utf8)
        }
        return .complete
    }
}
