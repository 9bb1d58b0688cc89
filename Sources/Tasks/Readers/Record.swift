/// One row of a file: the values of the requested columns, in that order, as UTF-8.
struct Record {
    /// The start of the row.
    var position = RowPosition(offset: 0, line: 1)
    private var bytes: [UInt8] = []
    private var ranges: [Range<Int>]
    /// The texts after the first one of the value that may be a list.
    private(set) var furtherTexts: [String] = []

    init(valueCount: Int) {
        ranges = Array(repeating: 0..<0, count: valueCount)
    }

    /// Removes the values of the previous row.
    mutating func start(at position: RowPosition) {
        self.position = position
        bytes.removeAll(keepingCapacity: true)
        furtherTexts.removeAll()
    }

    /// Stores value `index`.
    mutating func set(_ index: Int, _ value: some Collection<UInt8>) {
        let start = bytes.count
        bytes.append(contentsOf: value)
        ranges[index] = start..<bytes.count
    }

    /// Stores value `index`, which has these texts, at least one.
    mutating func set(_ index: Int, texts: [String]) {
        set(index, texts[0].utf8)
        if texts.count > 1 { furtherTexts = Array(texts.dropFirst()) }
    }

    /// Value `index`; of a list its first text.
    subscript(index: Int) -> ArraySlice<UInt8> { bytes[ranges[index]] }
}

/// The start of a row in a file.
struct RowPosition: Sendable, Equatable {
    /// The byte.
    var offset: Int
    /// The line, from 1.
    var line: Int
    /// The row among those that begin there, from 0; only JSON objects with many rows have more than one.
    var part = 0
}

/// The result of reading a row.
enum RowOutcome: Equatable {
    /// The record holds its values.
    case complete
    /// The row has fewer columns than it should.
    case incomplete(String)
    /// The row is bad for another reason.
    case malformed(String)
}

/// Reads a file row by row.
protocol RecordReader: Sendable {
    /// Reads the next row into `record`; nil at the end of the file.
    mutating func next(_ record: inout Record) -> RowOutcome?

    /// Continues with the row that starts at `position`.
    mutating func seek(to position: RowPosition)
}
