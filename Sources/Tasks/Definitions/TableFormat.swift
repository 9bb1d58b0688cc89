/// The format of a task's files.
public enum TableFormat: Sendable, Equatable, Codable {
    /// Tab-separated values, one row per line; quotes have no meaning. With a header, columns have names. Without one, every
    /// row must have `columns` columns, or as many as the first row when `columns` is nil. Rows may have more columns, which are
    /// not read, if `ragged` is true; nil is false, so that a definition without it keeps the digest that it always had.
    case tsv(hasHeader: Bool, columns: Int? = nil, ragged: Bool? = nil)
    /// Comma-separated values with quotes as in RFC 4180, so that a row may take several lines; header and `columns` as above.
    case csv(hasHeader: Bool, columns: Int? = nil)
    /// One JSON object per line.
    case jsonLines
    /// One JSON object per line with many rows: one for each element of a list at this place, or of lists in its elements if the
    /// place leads through several. `passage.questions.answers` with the lists `questions` and `answers` gives a row for each answer.
    case jsonRows(of: String)

    /// Whether an object of the files has many rows.
    var hasRowsInObjects: Bool { if case .jsonRows = self { true } else { false } }
}

/// A column of a table or a key of a JSON object.
public enum Column: Sendable, Equatable, Codable, CustomStringConvertible {
    /// By its name in the header, or the key.
    case named(String)
    /// By its position, counted from 0.
    case index(Int)

    /// The column as messages name it.
    public var description: String {
        switch self {
        case .named(let name): "\"\(name)\""
        case .index(let index): "\(index)"
        }
    }
}

/// A text that a task reads: its name in the template and its position in the files.
public struct Field: Sendable, Equatable, Codable {
    /// The name in the template.
    public let name: String
    /// The position in the files.
    public let column: Column

    /// Creates a field; without `column` it reads the column with the field's name.
    public init(_ name: String, column: Column? = nil) {
        self.name = name
        self.column = column ?? .named(name)
    }
}
