/// The rectangle of a chart with its axes, ticks, grid and legend: in one place for all charts.
struct Frame {
    let left: Double
    let top: Double
    let right: Double
    let bottom: Double

    /// The height of a row of the legend.
    private static let row = 16.0

    /// The number of rows that a legend takes.
    static func legendRows(_ names: [String], width: Double) -> Int {
        places(names, width: width).map(\.row).max().map { $0 + 1 } ?? 0
    }

    /// The place of each name in a legend.
    private static func places(_ names: [String], width: Double) -> [(row: Int, x: Double)] {
        var (row, x) = (0, 0.0)
        return names.map { name in
            let size = 30 + Drawing.width(of: Drawing.fitted(name, into: width - 40))
            if x > 0, x + size > width { (row, x) = (row + 1, 0) }
            defer { x += size }
            return (row, x)
        }
    }

    /// Leaves room for a legend above, for the widest text of the vertical axis and for the names of the axes.
    init(_ drawing: Drawing, legend: [String], vertical: Scale, verticalName: String?, horizontalName: String?) {
        let widest = vertical.ticks.map { Drawing.width(of: $0.text) }.max() ?? 0
        left = widest + 10 + (verticalName == nil ? 0 : 16)
        right = drawing.width - 12
        top = 10 + Self.row * Double(Self.legendRows(legend, width: drawing.width - 8))
        bottom = drawing.height - (horizontalName == nil ? 22 : 38)
    }

    /// A frame with these sides.
    init(left: Double, top: Double, right: Double, bottom: Double) {
        (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
    }

    /// What stands beside a name in a legend.
    enum Key {
        case line
        case mark
        case area
    }

    /// Draws the names of series from a height downwards, each beside its line, mark or area in the colour of its index.
    static func drawLegend(
        _ names: [(name: String, index: Int)], _ key: Key, from top: Double = 0, in drawing: inout Drawing
    ) {
        let width = drawing.width - 8
        let places = places(names.map(\.name), width: width)
        for ((name, index), place) in zip(names, places) {
            let (x, y) = (place.x + 4, top + 8 + row * Double(place.row))
            let style = Ink.seriesClass(index)
            switch key {
            case .line: drawing.path([(x, y), (x + 18, y)], style: "curve \(style)", dashes: Ink.dashes(index))
            case .mark: drawing.mark(Ink.mark(index), x + 8, y, 4, style: "dot \(style)")
            case .area: drawing.rectangle(x + 3, y - 5, 10, 10, style: "fill \(style)")
            }
            drawing.text(Drawing.fitted(name, into: width - 40), x + 22, y + 4)
        }
    }

    /// Draws the vertical axis with its grid.
    func drawVertical(_ scale: Scale, name: String?, in drawing: inout Drawing) {
        for tick in scale.ticks {
            let y = scale.place(tick.value)
            drawing.line(left, y, right, y, "grid")
            drawing.text(tick.text, left - 5, y + 4, .end)
        }
        if let name { drawing.text(name, 11, (top + bottom) / 2, .middle, style: "name", turned: true) }
    }

    /// Draws the horizontal axis.
    func drawHorizontal(_ scale: Scale, name: String?, in drawing: inout Drawing) {
        drawing.line(left, bottom, right, bottom, "axis")
        // A text that would reach into the one before is left out.
        var end = -Double.infinity
        for tick in scale.ticks {
            let x = scale.place(tick.value)
            drawing.line(x, bottom, x, bottom + 4, "axis")
            let half = Drawing.width(of: tick.text) / 2
            guard x - half > end + 4 else { continue }
            drawing.text(tick.text, min(x, drawing.width - half), bottom + 16, .middle)
            end = x + half
        }
        if let name { drawing.text(name, (left + right) / 2, bottom + 32, .middle, style: "name") }
    }
}
