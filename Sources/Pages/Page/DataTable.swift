/// The numbers of a figure as a table, for screen readers and for copying.
package struct DataTable: Sendable {
    let columns: [String]
    let rows: [[String]]
    let omitted: Int

    /// The largest number of rows that a page holds; the files beside the page have all numbers.
    private static let mostRows = 400

    /// Creates a table; the first column names the rows. Rows beyond what a page can hold are left out and counted.
    package init(_ columns: [String], _ rows: [[String]]) {
        self.columns = columns
        self.rows = Array(rows.prefix(Self.mostRows))
        omitted = max(0, rows.count - Self.mostRows)
    }

    /// The table as an element that can scroll by itself.
    func node(named name: String) -> Node {
        let head = Node.of("tr", [:], columns.map { .of("th", ["scope": "col"], $0) })
        let body = rows.map { row in
            Node.of(
                "tr", [:],
                row.enumerated().map { index, text in
                    index == 0 ? .of("th", ["scope": "row"], text) : .of("td", [:], text)
                })
        }
        var content: [Node] = [
            .of(
                "table", [:],
                [.of("caption", ["class": "hidden"], name), .of("thead", [:], [head]), .of("tbody", [:], body)])
        ]
        if omitted > 0 { content.append(.of("p", [:], "\(omitted) more rows are in the files beside this page.")) }
        return .of("div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": name], content)
    }
}
