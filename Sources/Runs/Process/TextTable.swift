/// Rows of cells as text with aligned columns.
package struct TextTable {
    private let rows: [[String]]
    private let left: Set<Int>

    /// Creates a table; all rows have the same number of cells. The columns in `left` are aligned to the left, the others to the
    /// right.
    package init(_ rows: [[String]], left: Set<Int>) {
        self.rows = rows
        self.left = left
    }

    /// One line per row, without spaces at its end.
    package var text: String {
        guard let first = rows.first else { return "" }
        let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return left.contains(column) ? cell.0 + padding : padding + cell.0
            }.joined(separator: "  ").replacing(#/\s+$/#, with: "")
        }.joined(separator: "\n")
    }
}
