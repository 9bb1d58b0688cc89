package import Pages

/// The files of a page: itself, and each of its figures.
package struct PageFiles {
    /// The directory of the figures.
    package static let figures = "figures"

    /// Names, relative to the directory of the page, and contents.
    package let files: [(name: String, content: String)]

    /// Creates the files; the figures stand in a directory of their own.
    package init(_ page: Page, name: String) {
        files = [(name, page.source)] + page.figures.map { ("\(Self.figures)/\($0.id).svg", $0.file) }
    }
}
