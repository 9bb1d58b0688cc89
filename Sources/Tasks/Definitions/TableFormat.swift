/// The format of a task's files.
public enum TableFormat: Sendable, Equatable, Codable {
    /// Tab-separated values, a row a line; quotes mean nothing. With a header, columns have names; without one, every row
    /// must have `columns` of them, or as many as the first row when that is nil.
    case tsv(hasHeader: Bool, columns: Int? = nil)
    /// One JSON object a line.
    case jsonLines
}

/// A column of a TSV file or a key of a JSON object.
public enum Column: Sendable, Equatable, Codable, CustomStringConvertible {
    /// By its name in the header, or the key.
    case named(String)
    /// By its place, counted from 0.
    case index(Int)

    /// The column as messages name it.
    public var description: String {
        switch self {
        case .named(let name): "\"\(name)\""
        case .index(let index): "\(index)"
        }
    }
}

/// A text that a task reads: its name in the template and its place in the files.
public struct Field: Sendable, Equatable, Codable {
    /// The name in the template.
    public let name: String
    /// The place in the files.
    public let column: Column

    /// Creates a field; without a column it is the one of the field's name.
    public init(_ name: String, column: Column? = nil) {
        self.name = name
        self.column = column ?? .named(name)
    }
}
