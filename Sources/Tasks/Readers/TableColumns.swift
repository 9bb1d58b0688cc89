import Failures
import Tensors

/// Which columns of a table the values of a record come from.
struct TableColumns: Sendable {
    /// The number of columns that each row has.
    let count: Int
    /// For each column i: the indices in the record that it fills.
    private let values: [[Int]]
    private let hasHeader: Bool
    /// Whether rows may have more columns, which are not read.
    private let isRagged: Bool

    /// Finds the asked-for columns in the first row of the file at `path`; throws `badData` when one is not there.
    ///
    /// `count`: the number of columns of a file without header; nil takes that of the first row.
    init(
        first names: [String], hasHeader: Bool, count: Int?, isRagged: Bool = false, columns: [Column], path: String
    ) throws(Failure) {
        guard !hasHeader || names.allSatisfy(\.isStreamSafe) else {
            throw Failure(
                .badData,
                "\(path.shown):1: the header has a name with more than 30 combining marks in a row; correct it")
        }
        let places = hasHeader ? names : (0..<(count ?? names.count)).map(String.init)
        self.count = places.count
        self.hasHeader = hasHeader
        self.isRagged = isRagged
        var values: [[Int]] = Array(repeating: [], count: places.count)
        for (index, column) in columns.enumerated() {
            values[try Self.place(of: column, in: places, path)].append(index)
        }
        self.values = values
    }

    /// The indices in the record that a column fills; none for a column that the table does not have.
    func values(of column: Int) -> [Int] { column < count ? values[column] : [] }

    /// The result of a row with `found` columns.
    func outcome(_ found: Int) -> RowOutcome {
        if found == count || (isRagged && found > count) { return .complete }
        let expected = hasHeader ? "the file has \(count)" : "rows of this file have \(count)"
        let reason = "the row has \(found) \(found == 1 ? "column" : "columns"), but \(expected)"
        return found < count ? .incomplete(reason) : .malformed(reason)
    }

    /// The refusal of a file whose only line end is a carriage return.
    static func carriageReturns(_ path: String) -> Failure {
        Failure(
            .badData,
            "\(path.shown):1: the lines end with a carriage return alone; convert the file, as tr '\\r' '\\n' does")
    }

    private static func place(of column: Column, in names: [String], _ path: String) throws(Failure) -> Int {
        switch column {
        case .index(let index):
            guard names.indices.contains(index) else {
                throw Failure(
                    .badData,
                    "\(path.shown):1: there is no column \(index), only 0 to \(names.count - 1); "
                        + "check the file and the task's columns")
            }
            return index
        case .named(let name):
            guard let index = names.firstIndex(of: name) else {
                let list = names.prefix(30).map { "\"\($0.shown)\"" }.joined(separator: ", ")
                throw Failure(
                    .badData,
                    "\(path.shown):1: the header has no column \"\(name.shown)\" (it has \(list)); "
                        + "check the file and the task's columns")
            }
            guard names.lastIndex(of: name) == index else {
                throw Failure(
                    .badData, "\(path.shown):1: the header has two columns \"\(name.shown)\"; rename one of them")
            }
            return index
        }
    }
}
