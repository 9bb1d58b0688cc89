/// What a chart draws: SVG elements in a rectangle whose upper left corner is (0, 0).
package struct Drawing: Sendable {
    var width: Double
    var height: Double
    var content: [Node] = []

    /// The width of a chart: a phone shows it unscaled.
    static let usualWidth = 350.0

    init(width: Double = Drawing.usualWidth, height: Double) {
        self.width = width
        self.height = height
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
        content.append(
            .of(
                "line",
                [
                    "class": style, "x1": NumberText.place(x1), "y1": NumberText.place(y1), "x2": NumberText.place(x2),
                    "y2": NumberText.place(y2),
                ]))
    }

    /// Where a text begins, is centred or ends.
    enum Anchor: String {
        case start
        case middle
        case end
    }

    mutating func text(
        _ text: String, _ x: Double, _ y: Double, _ anchor: Anchor = .start, style: String? = nil, turned: Bool = false
    ) {
        let (x, y) = (NumberText.place(x), NumberText.place(y))
        content.append(
            .of(
                "text",
                [
                    "x": x, "y": y, "text-anchor": anchor == .start ? nil : anchor.rawValue, "class": style,
                    "transform": turned ? "rotate(-90 \(x) \(y))" : nil,
                ], text))
    }

    /// A filled rectangle with a text that is shown when it is pointed at.
    mutating func rectangle(
        _ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: String? = nil, style: String? = nil,
        hint: String? = nil
    ) {
        content.append(
            .of(
                "rect",
                [
                    "x": NumberText.place(x), "y": NumberText.place(y), "width": NumberText.place(max(width, 0)),
                    "height": NumberText.place(max(height, 0)), "fill": fill, "class": style,
                ], hint.map { [.of("title", [:], $0)] } ?? []))
    }

    mutating func circle(_ x: Double, _ y: Double, _ radius: Double, style: String, hint: String? = nil) {
        content.append(
            .of(
                "circle",
                [
                    "cx": NumberText.place(x), "cy": NumberText.place(y), "r": NumberText.place(radius), "class": style,
                ], hint.map { [.of("title", [:], $0)] } ?? []))
    }

    /// A mark at a place.
    mutating func mark(_ mark: Mark, _ x: Double, _ y: Double, _ radius: Double, style: String, hint: String? = nil) {
        guard mark != .circle else { return circle(x, y, radius, style: style, hint: hint) }
        area(mark.corners.map { (x + radius * $0.x, y + radius * $0.y) }, style: style, hint: hint)
    }

    /// A line through points, interrupted where a point is nil, with a text that is shown when it is pointed at.
    mutating func path(
        _ points: [(x: Double, y: Double)?], style: String, dashes: String? = nil, hint: String? = nil
    ) {
        var (text, isDown) = ("", false)
        for point in points {
            guard let point else {
                isDown = false
                continue
            }
            text += "\(isDown ? "L" : "M")\(NumberText.place(point.x)) \(NumberText.place(point.y))"
            isDown = true
        }
        guard !text.isEmpty else { return }
        content.append(
            .of(
                "path", ["class": style, "stroke-dasharray": dashes, "d": text],
                hint.map { [.of("title", [:], $0)] } ?? []))
    }

    /// A filled area.
    mutating func area(_ points: [(x: Double, y: Double)], style: String, hint: String? = nil) {
        guard points.count > 2 else { return }
        let text = points.enumerated().map { index, point in
            "\(index == 0 ? "M" : "L")\(NumberText.place(point.x)) \(NumberText.place(point.y))"
        }
        content.append(
            .of("path", ["class": style, "d": text.joined() + "Z"], hint.map { [.of("title", [:], $0)] } ?? []))
    }

    /// About how wide a text is, in the size of the axes' texts.
    static func width(of text: String) -> Double { 6.1 * Double(text.count) }

    /// A text that fits into a width, shortened in its middle if it must be.
    static func fitted(_ text: String, into width: Double) -> String {
        let most = max(3, Int(width / 6.1))
        guard text.count > most else { return text }
        let head = (most - 1) / 2
        return text.prefix(head) + "\u{2026}" + text.suffix(most - 1 - head)
    }
}
