package import Pages

/// The files of a page: itself, and each of its figures.
package struct PageFiles {
    /// Names, relative to the directory of the page, and contents.
    package let files: [(name: String, content: String)]

    /// Creates the files; figures stand in the directory `figures`.
    package init(_ page: Page, name: String) {
        files = [(name, page.source)] + page.figures.map { ("figures/\($0.id).svg", $0.file) }
    }
}
