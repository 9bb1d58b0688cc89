/// A page that needs nothing but itself: no network, no script.
package struct Page: Sendable {
    /// A part of a page.
    package struct Section: Sendable {
        let title: String
        let text: [String]
        let table: DataTable?
        fileprivate(set) var figures: [Figure]

        /// Creates a part: sentences, a table that is always shown, and figures side by side.
        package init(_ title: String, text: [String] = [], table: DataTable? = nil, figures: [Figure] = []) {
            self.title = title
            self.text = text
            self.table = table
            self.figures = figures
        }

        var id: String { "part-" + Figure.identifier(title) }
    }

    let title: String
    let introduction: [String]
    private(set) var sections: [Section]
    let footer: String

    /// Creates a page; empty parts are left out. Figures whose identifiers are equal, as of names that differ only in signs, get
    /// numbers.
    package init(title: String, introduction: [String], sections: [Section], footer: String) {
        self.title = title
        self.introduction = introduction
        self.sections = sections.filter { !$0.figures.isEmpty || !$0.text.isEmpty || $0.table != nil }
        self.footer = footer
        var taken: Set<String> = []
        for section in self.sections.indices {
            for figure in self.sections[section].figures.indices {
                let own = self.sections[section].figures[figure]
                var (free, number) = (own.id, 1)
                while !taken.insert(free).inserted {
                    number += 1
                    free = "\(own.id)-\(number)"
                }
                self.sections[section].figures[figure] = own.named(free)
            }
        }
    }

    /// All figures, in order.
    package var figures: [Figure] { sections.flatMap(\.figures) }

    /// The page's source.
    package var source: String {
        let head = Node.of(
            "head", [:],
            [
                .of("meta", ["charset": "utf-8"]),
                .of("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
                .of("meta", ["name": "color-scheme", "content": "light dark"]),
                // An empty icon keeps a browser from asking a server for one.
                .of("link", ["rel": "icon", "href": "data:,"]),
                .of("title", [:], title),
                .of("style", [:], [.style(Style.page + Style.drawing(root: "figure svg"))]),
            ])
        let links = sections.map { Node.of("li", [:], [.of("a", ["href": "#\($0.id)"], $0.title)]) }
        let main = Node.of("main", ["id": "content"], sections.map(Self.node))
        let body = Node.of(
            "body", [:],
            [
                .of("a", ["class": "skip", "href": "#content"], "Skip to the figures"),
                .of("header", [:], [.of("h1", [:], title)] + introduction.map { .of("p", [:], $0) }),
                .of("nav", ["aria-label": "Parts of this page"], [.of("ul", [:], links)]),
                main, .of("footer", [:], [.of("p", [:], footer)]),
            ])
        return "<!DOCTYPE html>\n" + Node.of("html", ["lang": "en"], [head, body]).source + "\n"
    }

    private static func node(_ section: Section) -> Node {
        var content: [Node] = [.of("h2", ["id": section.id + "-name"], section.title)]
        content += section.text.map { .of("p", [:], $0) }
        if let table = section.table { content.append(table.node(named: "\(section.title), table")) }
        if !section.figures.isEmpty {
            content.append(.of("div", ["class": "figures"], section.figures.map(\.node)))
        }
        return .of("section", ["id": section.id, "aria-labelledby": section.id + "-name"], content)
    }
}
