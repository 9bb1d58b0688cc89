import Foundation
import Testing

@testable import Pages

#if canImport(FoundationXML)
    import FoundationXML
#endif

/// Pages and drawings as a browser and a screen reader would find them.
@Suite struct PageTests {
    /// Charts of every kind, with names that have a meaning in markup and values that are absent.
    static let figures: [Figure] = {
        let name = "a < b & \"c\""
        let points = (0..<300).map { (x: Double($0), y: 1 / Double($0 + 1)) }
        return [
            Figure(
                "lines", title: name, reading: "one line",
                LineChart(
                    [
                        .init(name, points, band: points.map { ($0.x, $0.y / 2, $0.y * 2) }, index: 0),
                        .init("nan", [(0, .nan), (1, 0.5), (2, .infinity)], index: 9),
                    ], horizontal: "step", vertical: "loss", kind: .logarithmic
                ).drawing, table: DataTable(["step", name], (0..<500).map { ["\($0)", "1"] })),
            Figure(
                "many-lines", title: "many", reading: "one line",
                LineChart(
                    (0..<14).map { line in .init("line \(line)", [(0, Double(line)), (1, 20)], index: line) },
                    horizontal: "step", vertical: "loss"
                ).drawing),
            Figure(
                "empty", title: "empty", reading: "nothing",
                LineChart([], horizontal: "step", vertical: "loss").drawing),
            Figure(
                "intervals", title: "intervals", reading: "one line",
                IntervalChart(
                    [("group", [.init(name, 3, 2...4), .init("no value", nil), .init("no number", .nan)])],
                    name: "percent",
                    reference: 0
                ).drawing),
            Figure(
                "map", title: "map", reading: "one line",
                HeatMap(
                    rows: [name, "b"], columns: ["x", "y"], values: [[1, nil], [-1, 0.5]],
                    colours: .diverging(centre: 0, reach: 1), unit: "cosine"
                ).drawing),
            Figure(
                "map-over-time", title: "map", reading: "one line",
                HeatMap(
                    rows: (0..<28).map { "row \($0)" }, columns: (0..<40).map { "\($0 * 50)" },
                    values: (0..<28).map { row in (0..<40).map { Double(row + $0) } }, colours: .sequential(0, 70),
                    unit: "cosine", horizontal: "step"
                ).drawing),
            Figure(
                "points", title: "points", reading: "one line",
                ScatterChart(
                    [.init(name, 0, 0, group: 0), .init("b", 1, 2, group: 1)], groups: ["one", "two"], horizontal: "x",
                    vertical: "y"
                ).drawing),
            Figure(
                "tree", title: "tree", reading: "one line",
                TreeChart(
                    leaves: ["a", "b", "c"], order: [2, 0, 1],
                    merges: [.init(0, 1, height: 1), .init(2, 3, height: 2)], name: "distance"
                ).drawing),
            Figure(
                "shares", title: "shares", reading: "one line",
                ShareChart([("run", [0.5, 0.25, 0]), ("other", [1, 0, 0])], parts: ["a", name, "c"], name: "share")
                    .drawing),
        ]
    }()

    private static let page = Page(
        title: "T & <T>", introduction: ["one"],
        sections: [
            .init("Part", text: ["text"], table: DataTable(["a"], [["1"]]), figures: figures), .init("Nothing"),
        ],
        footer: "end")

    private static func parse(_ text: String) throws -> XMLDocument { try XMLDocument(xmlString: text) }

    /// An attribute by its name, whatever the element's namespace is.
    private static func value(_ name: String, of element: XMLElement) -> String? {
        element.attributes?.first { $0.name == name }?.stringValue
    }

    /// The elements of a document and all their values, in order.
    private static func elements(_ node: XMLNode) -> [XMLElement] {
        let own = (node as? XMLElement).map { [$0] } ?? []
        return own + (node.children ?? []).flatMap(elements)
    }

    @Test(arguments: figures.indices)
    func `a drawing's file is XML with a title, a description and nothing outside its frame`(index: Int) throws {
        let figure = Self.figures[index]
        let document = try Self.parse(figure.file)
        let elements = Self.elements(document)
        let root = try #require(document.rootElement())
        #expect(root.name == "svg" && Self.value("role", of: root) == "img")
        #expect(elements.contains { $0.name == "title" && $0.stringValue == figure.title })
        #expect(elements.contains { $0.name == "desc" && $0.stringValue == figure.reading })
        let box = try #require(Self.value("viewBox", of: root)).split(separator: " ").map { Double($0) }
        let (width, height) = try (#require(box[2]), #require(box[3]))
        for element in elements {
            for (names, limit) in [(["x", "x1", "x2", "cx"], width), (["y", "y1", "y2", "cy"], height)] {
                for name in names {
                    guard let text = Self.value(name, of: element) else { continue }
                    let place = try #require(Double(text), "\(name)=\(text)")
                    #expect(place >= -0.5 && place <= limit + 0.5, "\(figure.id): \(element)")
                }
            }
        }
        #expect(!figure.file.contains("nan") || figure.file.contains(">nan<"))
        #expect(!figure.file.lowercased().contains("inf "))
    }

    @Test func `a page is whole in itself, and each of its figures can be found and read`() throws {
        let source = Self.page.source
        // Elements without content are closed for the parser of XML only.
        let xml = source.replacing("<!DOCTYPE html>\n", with: "").replacing(
            #/<(meta|link)([^>]*)>/#, with: { "<\($0.1)\($0.2)/>" })
        let elements = Self.elements(try Self.parse(xml))
        let ids = elements.compactMap { Self.value("id", of: $0) }
        #expect(Set(ids).count == ids.count, "an id occurs twice")
        for element in elements {
            for name in ["aria-labelledby", "href"] {
                guard let text = Self.value(name, of: element), text != "data:," else { continue }
                for id in text.split(separator: " ") {
                    #expect(ids.contains(id.hasPrefix("#") ? String(id.dropFirst()) : String(id)))
                }
            }
        }
        #expect(!elements.contains { ["script", "img", "iframe", "object", "form"].contains($0.name ?? "") })
        #expect(source.contains("<html lang=\"en\">") && elements.count { $0.name == "h1" } == 1)
        #expect(!source.contains("http://") && !source.contains("https://") && !source.contains("url("))
        #expect(elements.count { $0.name == "figure" } == Self.figures.count)
        #expect(elements.count { $0.name == "section" } == 1)
        #expect(source.contains("100 more rows are in the files"))
    }

    /// The ratio of contrast of WCAG 2: 4.5 is enough for small text.
    @Test func `numbers on colours can be read`() {
        func luminance(_ hex: String) -> Double {
            let value = Int(hex.dropFirst(), radix: 16) ?? 0
            let parts = [value >> 16, value >> 8 & 255, value & 255].map { part -> Double in
                let share = Double(part) / 255
                return share <= 0.03928 ? share / 12.92 : Double.pow((share + 0.055) / 1.055)
            }
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
        }
        func contrast(_ a: String, _ b: String) -> Double {
            let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05)
            return max(a, b) / min(a, b)
        }
        for step in 0...100 {
            let share = Double(step) / 100
            for signed in [share, -share] {
                let text = Ink.diverging(signed).isLight ? "#000000" : "#ffffff"
                #expect(contrast(Ink.diverging(signed).text, text) >= 4.5, "diverging \(signed)")
            }
            let text = Ink.sequential(share).isLight ? "#000000" : "#ffffff"
            #expect(contrast(Ink.sequential(share).text, text) >= 4.5, "sequential \(share)")
        }
    }

    /// Names that differ only in signs would have one file.
    @Test func `figures with equal identifiers get numbers`() {
        func figure(_ id: String) -> Figure {
            Figure(id, title: id, reading: "one line", ShareChart([], parts: [], name: "share").drawing)
        }
        let page = Page(
            title: "t", introduction: [],
            sections: [
                .init("One", figures: [figure("a-b"), figure("a-b")]),
                .init("Two", figures: [figure("a-b-2"), figure("a-b")]),
            ], footer: "")
        #expect(page.figures.map(\.id) == ["a-b", "a-b-2", "a-b-2-2", "a-b-3"])
        #expect(page.source.contains("<figure id=\"a-b-2-2\" aria-labelledby=\"a-b-2-2-title\""))
    }

    @Test func `curves, points and cells are where their values are`() throws {
        // The vertical axis goes from 0 to 10, the horizontal one from 0 to 4.
        let chart = LineChart(
            [.init("a", [(0, 0), (2, 10), (4, 5)], index: 0)], horizontal: "x", vertical: "y", bounds: [0, 10])
        let elements = Self.elements(
            try Self.parse(Figure("f", title: "t", reading: "r", chart.drawing).file))
        func number(_ name: String, _ element: XMLElement) throws -> Double {
            try #require(Self.value(name, of: element).flatMap { Double($0) })
        }
        let points = try elements.filter { $0.name == "circle" }.map { try (number("cx", $0), number("cy", $0)) }
        try #require(points.count == 3)
        #expect((points[1].0 - (points[0].0 + points[2].0) / 2).magnitude < 0.02)
        // Up is larger, and half of the height is half of the value.
        #expect(points[1].1 < points[2].1 && points[2].1 < points[0].1)
        #expect((points[2].1 - (points[0].1 + points[1].1) / 2).magnitude < 0.02)
        let grid = try elements.filter { Self.value("class", of: $0) == "grid" }.map { try number("y1", $0) }
        #expect((grid.max().map { $0 - points[0].1 } ?? 9).magnitude < 0.02)
        #expect((grid.min().map { $0 - points[1].1 } ?? 9).magnitude < 0.02)
        let path = try #require(elements.first { Self.value("class", of: $0) == "curve s0" })
        let text = try #require(Self.value("d", of: path))
        #expect(text.hasPrefix("M\(NumberText.place(points[0].0)) \(NumberText.place(points[0].1))L"))

        let map = HeatMap(
            rows: ["a", "b"], columns: ["c", "d"], values: [[0, 1], [nil, -1]],
            colours: .diverging(centre: 0, reach: 1),
            unit: "u")
        let cells = Self.elements(try Self.parse(Figure("f", title: "t", reading: "r", map.drawing).file)).filter {
            $0.name == "rect" && $0.stringValue?.contains(",") ?? false
        }
        #expect(cells.map { $0.stringValue } == ["a, c: 0.00", "a, d: 1.00", "b, c: \u{2013}", "b, d: \u{2212}1.00"])
        let fills = cells.map { Self.value("fill", of: $0) }
        #expect(fills == [Ink.diverging(0).text, Ink.diverging(1).text, nil, Ink.diverging(-1).text])
        #expect(try number("x", cells[1]) > number("x", cells[0]) && number("y", cells[2]) > number("y", cells[0]))
    }

    @Test func `identifiers are made of any text`() {
        #expect(Figure.identifier("A/B: \u{E4} c_1") == "a-b-\u{E4}-c-1")
        #expect(Figure.identifier("lora.rank=8") == "lora-rank-8")
        // Letters of any script stay, however they are composed.
        #expect(Figure.identifier("Задача №1") == "задача-1" && Figure.identifier("任务/二") == "任务-二")
        #expect(Array(Figure.identifier("a\u{308}").utf8) == Array("\u{E4}".utf8))
        #expect(Figure.identifier("?!") == "u3f-u21" && Figure.identifier("") == "")
        #expect(Figure.identifier(String(repeating: "任", count: 400)).utf8.count == 120)
    }

    /// More curves than there are colours: each has one frame in which it has a colour, and is grey in the others.
    @Test func `many curves are drawn in several frames with one scale`() throws {
        let figure = try #require(Self.figures.first { $0.id == "many-lines" })
        let paths = Self.elements(try Self.parse(figure.file)).filter { $0.name == "path" }
        func named(_ name: String, _ style: String) -> [XMLElement] {
            paths.filter {
                $0.stringValue == name && (Self.value("class", of: $0) ?? "").hasPrefix(style)
            }
        }
        for line in 0..<14 {
            #expect(named("line \(line)", "curve").count == 1 && named("line \(line)", "other").count == 2)
        }
        let styles = (0..<6).map { line in Self.value("class", of: named("line \(line)", "curve")[0]) }
        #expect(Set(styles).count == 6)
        // The first line is as far below the second one in every frame.
        func start(_ path: XMLElement) throws -> Double {
            let text = try #require(Self.value("d", of: path)).dropFirst().prefix { $0 != "L" }
            return try #require(text.split(separator: " ").last.flatMap { Double($0) })
        }
        let gaps = try zip(named("line 0", "other"), named("line 5", "other")).map { try start($0) - start($1) }
        #expect(gaps.count == 2 && gaps[0] > 1 && (gaps[0] - gaps[1]).magnitude < 0.02)
    }

    @Test func `colours with marks or dashes differ for many series`() {
        let marks = (0..<48).map { "\(Ink.seriesClass($0)) \(Ink.mark($0))" }
        let dashes = (0..<64).map { "\(Ink.seriesClass($0)) \(Ink.dashes($0) ?? "solid")" }
        #expect(Set(marks).count == 48 && Set(dashes).count == 64)
    }
}

extension Double {
    fileprivate static func pow(_ base: Double) -> Double { Foundation.pow(base, 2.4) }
}
