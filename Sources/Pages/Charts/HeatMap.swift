import Foundation

/// A table of values as coloured cells, with numbers in the cells where there is room.
package struct HeatMap: Sendable {
    /// How values become colours.
    package enum Colours: Sendable {
        /// From `centre - reach` (blue) over `centre` (white) to `centre + reach` (orange).
        case diverging(centre: Double, reach: Double)
        /// From the first (light) to the second value (dark).
        case sequential(Double, Double)
    }

    let rows: [String]
    let columns: [String]
    let values: [[Double?]]
    let colours: Colours
    let decimals: Int
    let horizontal: String?
    let unit: String

    /// Creates a map; `values` has a list for each row. Values that are nil are left empty.
    ///
    /// - Parameters:
    ///   - unit: what the values are, beside the key of the colours.
    ///   - horizontal: the name of the horizontal axis, if its columns are numbers in order.
    package init(
        rows: [String], columns: [String], values: [[Double?]], colours: Colours, decimals: Int = 2, unit: String,
        horizontal: String? = nil
    ) {
        self.rows = rows
        self.columns = columns
        self.values = values
        self.colours = colours
        self.decimals = decimals
        self.unit = unit
        self.horizontal = horizontal
    }

    private var isNumbered: Bool { horizontal != nil }

    /// The chart.
    package var drawing: Drawing {
        let width = Drawing.usualWidth
        let names = min(132, rows.map { Drawing.width(of: $0) }.max() ?? 0) + 8
        let cell = (width - names - 6) / Double(max(columns.count, 1))
        let height = rows.count > 16 ? 14.0 : max(14, min(26, cell))
        let texts = columns.map { Drawing.fitted($0, into: 90) }
        let isTurned = !isNumbered && texts.contains { Drawing.width(of: $0) > cell - 2 }
        let head =
            isNumbered ? 6 : isTurned ? 1.1 * (texts.map { Drawing.width(of: $0) }.max() ?? 0) + 8 : 20
        let foot = isNumbered ? 36.0 : 4
        var drawing = Drawing(
            width: width, height: head + height * Double(rows.count) + foot + 40)
        let sizes = values.joined().compactMap(\.self).map { NumberText.fixed($0, decimals).count }
        let hasNumbers = cell >= 6.1 * Double(sizes.max() ?? 0) + 1 && !isNumbered
        // Turned names need 12 units each.
        let every = isTurned ? max(1, Int((12 / cell).rounded(.up))) : 1
        for (column, text) in texts.enumerated() where !isNumbered && column % every == 0 {
            let x = names + cell * (Double(column) + 0.5)
            if isTurned {
                drawing.text(text, x + 4, head - 5, .start, turned: true)
            } else {
                drawing.text(text, x, head - 6, .middle)
            }
        }
        for (row, name) in rows.enumerated() {
            let y = head + height * Double(row)
            drawing.text(Drawing.fitted(name, into: names - 8), names - 4, y + height / 2 + 4, .end)
            for column in columns.indices {
                let value = values[row][column]
                let x = names + cell * Double(column)
                let text = NumberText.fixed(value, decimals)
                drawing.rectangle(
                    x, y, cell - (cell > 8 ? 1 : 0), height - 1, fill: value.map { colour($0).text },
                    style: value == nil ? "empty" : nil, hint: "\(name), \(columns[column]): \(text)")
                guard hasNumbers, let value else { continue }
                drawing.text(
                    text, x + cell / 2, y + height / 2 + 4, .middle,
                    style: colour(value).isLight ? "onLight" : "onDark")
            }
        }
        if isNumbered { numberColumns(names, head + height * Double(rows.count), cell, in: &drawing) }
        drawKey(at: drawing.height - 30, in: &drawing)
        return drawing
    }

    private func numberColumns(_ left: Double, _ y: Double, _ cell: Double, in drawing: inout Drawing) {
        var end = -Double.infinity
        for (column, text) in columns.enumerated() {
            let x = left + cell * (Double(column) + 0.5)
            let half = Drawing.width(of: text) / 2
            guard x - half > end + 8, x + half <= drawing.width else { continue }
            drawing.text(text, x, y + 14, .middle)
            end = x + half
        }
        if let horizontal {
            drawing.text(horizontal, (left + drawing.width) / 2, y + 29, .middle, style: "name")
        }
    }

    private func colour(_ value: Double) -> Ink.Fill {
        switch colours {
        case .diverging(let centre, let reach): Ink.diverging(reach > 0 ? (value - centre) / reach : 0)
        case .sequential(let low, let high): Ink.sequential(high > low ? (value - low) / (high - low) : 0)
        }
    }

    /// The colours and the values for which they stand.
    private func drawKey(at y: Double, in drawing: inout Drawing) {
        let ends: [Double] =
            switch colours {
            case .diverging(let centre, let reach): [centre - reach, centre, centre + reach]
            case .sequential(let low, let high): [low, (low + high) / 2, high]
            }
        let (left, width, steps) = (drawing.width - 156, 150.0, 30)
        for step in 0..<steps {
            let value = ends[0] + (ends[2] - ends[0]) * (Double(step) + 0.5) / Double(steps)
            drawing.rectangle(
                left + width * Double(step) / Double(steps), y, width / Double(steps) + 0.3, 9, fill: colour(value).text
            )
        }
        for (index, value) in ends.enumerated() {
            let anchor: Drawing.Anchor = [.start, .middle, .end][index]
            drawing.text(
                NumberText.short(value), left + width * Double(index) / 2, y + 22, anchor)
        }
        drawing.text(Drawing.fitted(unit, into: left - 14), left - 8, y + 9, .end, style: "name")
    }
}
