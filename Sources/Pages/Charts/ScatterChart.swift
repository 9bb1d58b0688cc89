/// Points in a plane, in groups with colours, with names beside them where there are few.
package struct ScatterChart: Sendable {
    /// A point.
    package struct Point: Sendable {
        let name: String
        let x: Double
        let y: Double
        let group: Int

        /// Creates a point; `group` is the position of its group's name.
        package init(_ name: String, _ x: Double, _ y: Double, group: Int) {
            self.name = name
            self.x = x
            self.y = y
            self.group = group
        }
    }

    let points: [Point]
    let groups: [String]
    let horizontal: String
    let vertical: String
    let kind: Scale.Kind

    /// Creates a chart.
    ///
    /// - Parameter kind: of the horizontal axis.
    package init(
        _ points: [Point], groups: [String], horizontal: String, vertical: String, kind: Scale.Kind = .linear
    ) {
        self.kind = kind
        self.points = points
        self.groups = groups
        self.horizontal = horizontal
        self.vertical = vertical
    }

    /// The chart.
    package var drawing: Drawing {
        let names = groups.count > 1 ? groups : []
        var drawing = Drawing(height: 290)
        drawing.height += 16 * Double(Frame.legendRows(names, width: drawing.width - 8))
        let measured = Scale(.linear, covering: points.map(\.y), to: (0, 1))
        let frame = Frame(
            drawing, legend: names, vertical: measured, verticalName: vertical, horizontalName: horizontal)
        let x = Scale(kind, covering: points.map(\.x), to: (frame.left, frame.right))
        let y = Scale(.linear, covering: points.map(\.y), to: (frame.bottom, frame.top))
        frame.drawVertical(y, name: vertical, in: &drawing)
        frame.drawHorizontal(x, name: horizontal, in: &drawing)
        Frame.drawLegend(names.enumerated().map { ($1, $0) }, .mark, in: &drawing)
        for point in points {
            drawing.mark(
                Ink.mark(point.group), x.place(point.x), y.place(point.y), 4,
                style: "dot \(Ink.seriesClass(point.group))", hint: point.name)
            let (place, width) = (x.place(point.x), Drawing.width(of: point.name) + 8)
            let isRight = place + width < drawing.width
            // Groups have names in the legend already.
            guard names.isEmpty, points.count <= 12, isRight || place - width > 0 else { continue }
            drawing.text(point.name, place + (isRight ? 7 : -7), y.place(point.y) + 4, isRight ? .start : .end)
        }
        return drawing
    }
}
