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

    /// Creates a chart.
    ///
    /// - Parameters:
    ///   - bounds: values that the vertical axis contains besides those of the series: charts with the same ones can be compared.
    ///   - horizontalBounds: the same for the horizontal axis.
    package init(
        _ series: [Series], horizontal: String, vertical: String, kind: Scale.Kind = .linear, bounds: [Double] = [],
        horizontalBounds: [Double] = []
    ) {
        self.series = series
        self.horizontal = horizontal
        self.vertical = vertical
        self.kind = kind
        self.bounds = bounds
        self.horizontalBounds = horizontalBounds
    }

    /// More points than a chart is wide are thinned out to this number: each keeps the mean of its neighbours.
    private static let mostPoints = 240

    /// The chart.
    package var drawing: Drawing {
        let names = series.count > 1 ? series.map(\.name) : []
        var drawing = Drawing(height: 210)
        drawing.height += 16 * Double(Frame.legendRows(names, width: drawing.width - 8))
        let values = bounds + series.flatMap { $0.points.map(\.y) + $0.band.flatMap { [$0.low, $0.high] } }
        let measured = Scale(kind, covering: values, to: (0, 1))
        let frame = Frame(
            drawing, legend: names, vertical: measured, verticalName: vertical, horizontalName: horizontal)
        let y = Scale(kind, covering: values, to: (frame.bottom, frame.top))
        let places = series.flatMap { $0.points.map(\.x) } + horizontalBounds
        let (least, most) = (places.min() ?? 0, places.max() ?? 1)
        // A single place has room around it.
        let room = least == most ? max(1, least.magnitude / 2) : 0
        let x = Scale(from: least - room, through: most + room, to: (frame.left, frame.right))
        frame.drawVertical(y, name: vertical, in: &drawing)
        frame.drawHorizontal(x, name: horizontal, in: &drawing)
        Frame.drawLegend(
            names.isEmpty ? [] : series.map { ($0.name, $0.index) }, in: &drawing, marks: false)
        for series in series {
            let edge = series.band.map { (x.place($0.x), y.place($0.high)) }
            let back = series.band.reversed().map { (x.place($0.x), y.place($0.low)) }
            drawing.area(edge + back, style: "band \(Ink.seriesClass(series.index))")
        }
        for series in series {
            let points = Self.thinned(series.points.filter { $0.y.isFinite && (kind == .linear || $0.y > 0) })
            drawing.path(
                points.map { (x.place($0.x), y.place($0.y)) }, style: "curve \(Ink.seriesClass(series.index))",
                dashes: Ink.dashes(series.index))
            guard points.count <= 24 else { continue }
            for point in points {
                drawing.circle(
                    x.place(point.x), y.place(point.y), 2.5, style: "dot \(Ink.seriesClass(series.index))",
                    hint:
                        "\(series.name): \(NumberText.short(point.x, digits: 6)), \(NumberText.short(point.y, digits: 4))"
                )
            }
        }
        return drawing
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
