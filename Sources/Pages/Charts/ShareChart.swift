/// Bars that are each divided into shares of a whole.
package struct ShareChart: Sendable {
    /// The largest number of parts that differ in colour.
    package static let mostParts = Ink.series

    let bars: [(name: String, shares: [Double])]
    let parts: [String]
    let name: String

    /// Creates a chart; each bar has a share for each part, which together are at most 1.
    package init(_ bars: [(name: String, shares: [Double])], parts: [String], name: String) {
        self.bars = bars
        self.parts = parts
        self.name = name
    }

    private static let row = 26.0

    /// The chart.
    package var drawing: Drawing {
        let legend = 16 * Double(Frame.legendRows(parts, width: Drawing.usualWidth - 8))
        var drawing = Drawing(height: 12 + legend + Self.row * Double(bars.count) + 40)
        let names = bars.count > 1 ? min(120, bars.map { Drawing.width(of: $0.name) }.max() ?? 0) + 8 : 0
        let frame = Frame(
            left: names + 6, top: 10 + legend, right: drawing.width - 16, bottom: drawing.height - 38)
        let x = Scale(from: 0, through: 1, to: (frame.left, frame.right), count: 4)
        frame.drawHorizontal(x, name: name, in: &drawing)
        Frame.drawLegend(parts.enumerated().map { ($1, $0) }, .area, in: &drawing)
        for (position, bar) in bars.enumerated() {
            let y = frame.top + Self.row * Double(position) + 3
            if bars.count > 1 {
                drawing.text(Drawing.fitted(bar.name, into: names), names, y + Self.row / 2 + 1, .end)
            }
            var sum = 0.0
            for (part, share) in bar.shares.enumerated() where share > 0 {
                let (start, end) = (x.place(sum), x.place(sum + share))
                drawing.rectangle(
                    start, y, end - start - 1, Self.row - 6, style: "fill \(Ink.seriesClass(part))",
                    hint: "\(parts[part]): \(NumberText.fixed(100 * share, 1)) %")
                sum += share
            }
        }
        return drawing
    }
}
