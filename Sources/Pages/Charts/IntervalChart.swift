/// Values with intervals, a row each, of several groups: one below the other on a common scale.
package struct IntervalChart: Sendable {
    /// A value.
    package struct Row: Sendable {
        package let name: String
        package let value: Double?
        package let interval: ClosedRange<Double>?
        let index: Int

        /// Creates a row; `index` chooses the colour.
        package init(_ name: String, _ value: Double?, _ interval: ClosedRange<Double>? = nil, index: Int = 0) {
            self.name = name
            self.value = value
            self.interval = interval
            self.index = index
        }
    }

    let groups: [(name: String?, rows: [Row])]
    let name: String
    let bounds: [Double]
    let reference: Double?
    let decimals: Int

    /// Creates a chart.
    ///
    /// - Parameters:
    ///   - name: what the values are.
    ///   - bounds: values that the axis contains besides those of the rows.
    ///   - reference: a value at which a line is drawn.
    package init(
        _ groups: [(name: String?, rows: [Row])], name: String, bounds: [Double] = [], reference: Double? = nil,
        decimals: Int = 1
    ) {
        self.groups = groups
        self.name = name
        self.bounds = bounds
        self.reference = reference
        self.decimals = decimals
    }

    private static let row = 18.0

    /// The chart.
    package var drawing: Drawing {
        let rows = groups.flatMap(\.rows)
        let count = rows.count + groups.count { $0.name != nil }
        var drawing = Drawing(height: 10 + Self.row * Double(count) + 40)
        let names = min(150, rows.map { Drawing.width(of: $0.name) }.max() ?? 0) + 8
        let texts = rows.map { NumberText.fixed($0.value, decimals) }
        let right = drawing.width - 10 - (texts.map { Drawing.width(of: $0) }.max() ?? 0)
        let frame = Frame(left: names + 6, top: 8, right: right, bottom: drawing.height - 38)
        let values =
            bounds
            + rows.flatMap { row in
                [row.value, row.interval?.lowerBound, row.interval?.upperBound].compactMap(\.self)
            } + [reference].compactMap(\.self)
        let x = Scale(.linear, covering: values, to: (frame.left, frame.right), count: 4)
        frame.drawHorizontal(x, name: name, in: &drawing)
        for tick in x.ticks { drawing.line(x.place(tick.value), frame.top, x.place(tick.value), frame.bottom, "grid") }
        if let reference {
            drawing.line(x.place(reference), frame.top, x.place(reference), frame.bottom, "reference")
        }
        var y = frame.top + Self.row / 2
        for group in groups {
            if let name = group.name {
                drawing.text(Drawing.fitted(name, into: drawing.width - 10), 4, y + 4, style: "name")
                y += Self.row
            }
            for row in group.rows {
                draw(row, at: y, x, frame, names: names, in: &drawing)
                y += Self.row
            }
        }
        return drawing
    }

    private func draw(
        _ row: Row, at y: Double, _ x: Scale, _ frame: Frame, names: Double, in drawing: inout Drawing
    ) {
        let style = Ink.seriesClass(row.index)
        drawing.text(Drawing.fitted(row.name, into: names), names, y + 4, .end)
        let text = NumberText.fixed(row.value, decimals)
        drawing.text(text, drawing.width - 4, y + 4, .end)
        guard let value = row.value, value.isFinite else { return }
        var hint = "\(row.name): \(text)"
        if let interval = row.interval {
            let (low, high) = (x.place(interval.lowerBound), x.place(interval.upperBound))
            drawing.line(low, y, high, y, "whisker \(style)")
            for end in [low, high] { drawing.line(end, y - 4, end, y + 4, "whisker \(style)") }
            hint +=
                " (\(NumberText.fixed(interval.lowerBound, decimals)) to \(NumberText.fixed(interval.upperBound, decimals)))"
        }
        drawing.circle(x.place(value), y, 4, style: "dot \(style)", hint: hint)
    }
}
