/// How many rows of one file became examples or were left out, beside the number that the published file has.
public struct FileStatistics: Sendable, Equatable, Codable {
    /// The file's name without its directory.
    public let name: String
    /// Rows that became examples.
    public let examples: Int
    /// Bad rows that were left out.
    public let badRows: Int
    /// The first bad row: file, line and reason.
    public let firstBadRow: String?
    /// Rows with too few columns, in a task that leaves such rows out.
    public let incompleteRows: Int
    /// Rows whose label the task leaves out.
    public let ignoredRows: Int
    /// All rows of the published file, for a file of a benchmark.
    public let publishedRows: Int?

    init(_ file: TaskReport.File, publishedRows: Int?) {
        (name, examples, badRows) = (file.name, file.examples, file.badRows)
        (firstBadRow, incompleteRows, ignoredRows) = (file.firstBadRow, file.incompleteRows, file.ignoredRows)
        self.publishedRows = publishedRows
    }
}
