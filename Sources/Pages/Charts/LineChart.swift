/// Curves over a common horizontal axis, each with a band if it has one.
package struct LineChart: Sendable {
    /// A curve.
    package struct Series: Sendable {
        package let name: String
        package let points: [(x: Double, y: Double)]
        let band: [(x: Double, low: Double, high: Double)]
        let index: Int

        /// Creates a curve; `index` chooses its colour and dashes, `band` is drawn around it.
        package init(
            _ name: String, _ points: [(x: Double, y: Double)], band: [(x: Double, low: Double, high: Double)] = [],
            index: Int
        ) {
            self.name = name
            self.points = points
            self.band = band
            self.index = index
        }
    }

    let series: [Series]
    let horizontal: String
    let vertical: String
    let kind: Scale.Kind
    let bounds: [Double]
    let horizontalBounds: [Double]
    let perFrame: Int?

    /// Creates a chart.
    ///
    /// - Parameters:
    ///   - bounds: values that the vertical axis contains besides those of the series: charts with the same ones can be compared.
    ///   - horizontalBounds: the same for the horizontal axis.
    ///   - perFrame: the number of curves in one frame; nil for all of them, as long as they can be told apart.
    package init(
        _ series: [Series], horizontal: String, vertical: String, kind: Scale.Kind = .linear, bounds: [Double] = [],
        horizontalBounds: [Double] = [], perFrame: Int? = nil
    ) {
        self.perFrame = perFrame
        self.series = series
        self.horizontal = horizontal
        self.vertical = vertical
        self.kind = kind
        self.bounds = bounds
        self.horizontalBounds = horizontalBounds
    }

    /// More points than a chart is wide are thinned out to this number: each keeps the mean of its neighbours.
    private static let mostPoints = 240

    /// The number of curves in a frame where there are too many for one.
    private static let fewer = 6

    /// A frame with the curves that it shows in colour; the others are thin and grey.
    private struct Panel {
        var shown: [(series: Series, index: Int)]
        var legend: Double
        var frame: Frame
    }

    /// The chart.
    package var drawing: Drawing {
        // A curve is in the same frame and colour in every figure of the same runs, whichever of them a figure has.
        let isDivided = perFrame.map { $0 < series.count } ?? series.contains { $0.index >= Ink.series }
        let inFrame = perFrame ?? Self.fewer
        let groups = isDivided ? Dictionary(grouping: series) { $0.index / inFrame } : [0: series]
        let values = bounds + series.flatMap { $0.points.map(\.y) + $0.band.flatMap { [$0.low, $0.high] } }
        func vertical(_ start: Double, _ end: Double) -> Scale {
            Scale(kind, covering: values, to: (start, end), count: isDivided ? 3 : 5)
        }
        let measured = vertical(0, 1)
        var drawing = Drawing(height: 0)
        var panels: [Panel] = []
        for (_, group) in groups.sorted(by: { $0.key < $1.key }) {
            let names = series.count > 1 ? group.map(\.name) : []
            let top = drawing.height
            let legend = 16 * Double(Frame.legendRows(names, width: drawing.width - 8))
            drawing.height += legend + (isDivided ? 122 : 172)
            let frame = Frame(
                drawing, legend: names, vertical: measured, verticalName: self.vertical, horizontalName: nil)
            panels.append(
                Panel(
                    shown: group.map { ($0, isDivided ? $0.index % inFrame : $0.index) }, legend: top,
                    frame: Frame(left: frame.left, top: top + frame.top, right: frame.right, bottom: drawing.height)))
            drawing.height += isDivided ? 26 : 20
        }
        // Below the last frame is the name of the axis.
        drawing.height += isDivided ? 12 : 18
        let places = series.flatMap { $0.points.map(\.x) } + horizontalBounds
        let (least, most) = (places.min() ?? 0, places.max() ?? 1)
        // A single place has room around it.
        let room = least == most ? max(1, least.magnitude / 2) : 0
        for (number, panel) in panels.enumerated() {
            let frame = panel.frame
            let y = vertical(frame.bottom, frame.top)
            let x = Scale(from: least - room, through: most + room, to: (frame.left, frame.right))
            frame.drawVertical(y, name: nil, in: &drawing)
            frame.drawHorizontal(x, name: number == panels.count - 1 ? horizontal : nil, in: &drawing)
            if series.count > 1 {
                Frame.drawLegend(
                    panel.shown.map { ($0.series.name, $0.index) }, .line, from: panel.legend, in: &drawing)
            }
            draw(panel, x, y, in: &drawing)
        }
        // Beside the frame in the middle, and as far from the legend above it as from the one below.
        let middle = panels[panels.count / 2].frame
        drawing.text(
            self.vertical, 11, (middle.top + middle.bottom) / 2 + (isDivided ? 8 : 0), .middle, style: "name",
            turned: true)
        return drawing
    }

    private func draw(_ panel: Panel, _ x: Scale, _ y: Scale, in drawing: inout Drawing) {
        func points(_ series: Series) -> [(x: Double, y: Double)] {
            Self.thinned(series.points.filter { $0.y.isFinite && (kind == .linear || $0.y > 0) })
        }
        let indices = panel.shown.map(\.series.index)
        for series in series where !indices.contains(series.index) {
            drawing.path(
                points(series).map { (x.place($0.x), y.place($0.y)) }, style: "other", hint: series.name)
        }
        for (series, index) in panel.shown {
            let edge = series.band.map { (x.place($0.x), y.place($0.high)) }
            let back = series.band.reversed().map { (x.place($0.x), y.place($0.low)) }
            drawing.area(edge + back, style: "band \(Ink.seriesClass(index))")
        }
        for (series, index) in panel.shown {
            let points = points(series)
            drawing.path(
                points.map { (x.place($0.x), y.place($0.y)) }, style: "curve \(Ink.seriesClass(index))",
                dashes: Ink.dashes(index), hint: series.name)
            guard points.count <= 24 else { continue }
            for point in points {
                drawing.circle(
                    x.place(point.x), y.place(point.y), 2.5, style: "dot \(Ink.seriesClass(index))",
                    hint:
                        "\(series.name): \(NumberText.short(point.x, digits: 6)), \(NumberText.short(point.y, digits: 4))"
                )
            }
        }
    }

    private static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        guard points.count > mostPoints else { return points }
        return (0..<mostPoints).map { index in
            let part = points[index * points.count / mostPoints..<(index + 1) * points.count / mostPoints]
            let count = Double(part.count)
            return (part.reduce(0) { $0 + $1.x } / count, part.reduce(0) { $0 + $1.y } / count)
        }
    }
}
