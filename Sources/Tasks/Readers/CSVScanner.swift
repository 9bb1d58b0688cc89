import Glibc

/// Takes one row of CSV apart.
struct CSVScanner: Sendable {
    /// What is wrong with the row that was read last; nil when it was read.
    private(set) var problem: String?
    /// The texts of the columns end to end, and where each ends.
    private var text: [UInt8] = []
    private var ends: [Int] = []

    /// The number of columns.
    var count: Int { ends.count }

    /// The text of a column, without its quotes.
    subscript(column: Int) -> ArraySlice<UInt8> { text[(column == 0 ? 0 : ends[column - 1])..<ends[column]] }

    private static let (quote, comma, lineFeed, carriageReturn) = (
        UInt8(ascii: "\""), UInt8(ascii: ","), UInt8(ascii: "\n"), UInt8(ascii: "\r")
    )

    /// Reads the row that begins at a position before the end of the bytes, and returns the position of the next one.
    ///
    /// A row that cannot be read ends with its first line, as if its quotes meant nothing: a quote that is never closed must not
    /// take the rest of the file with it. All rows of a file together still take time proportional to its bytes, since a line
    /// between two such places has its quotes in pairs.
    mutating func scan(_ bytes: UnsafeRawBufferPointer, from start: RowPosition) -> RowPosition {
        problem = nil
        text.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        var place = start
        repeat {
            let isQuoted = unsafe Self.take(Self.quote, bytes, &place.offset)
            let isRead = isQuoted ? unsafe readQuoted(bytes, &place) : unsafe readPlain(bytes, &place)
            guard isRead else { return unsafe Self.lineEnd(bytes, from: start) }
            ends.append(text.count)
        } while unsafe Self.take(Self.comma, bytes, &place.offset)
        guard unsafe isUTF8(UnsafeRawBufferPointer(rebasing: bytes[start.offset..<place.offset])) else {
            problem = "the row is not UTF-8; if the file is in another encoding, convert it"
            return unsafe Self.lineEnd(bytes, from: start)
        }
        // What is left is the line end: a comma would have been taken, and anything else belongs to the column.
        _ = unsafe Self.take(Self.carriageReturn, bytes, &place.offset)
        _ = unsafe Self.take(Self.lineFeed, bytes, &place.offset)
        return RowPosition(offset: place.offset, line: place.line + 1)
    }

    /// Reads up to the next comma or line end, and stops there.
    private mutating func readPlain(_ bytes: UnsafeRawBufferPointer, _ place: inout RowPosition) -> Bool {
        let begin = place.offset
        while place.offset < bytes.count, unsafe !isEnd(bytes, place.offset) {
            guard unsafe bytes[place.offset] != Self.quote else {
                problem =
                    "column \(ends.count + 1) has a quote but does not begin with one; put the column in quotes and double those "
                    + "in it"
                return false
            }
            place.offset += 1
        }
        unsafe text.append(contentsOf: bytes[begin..<place.offset])
        return true
    }

    /// Reads a column behind the quote that opens it and stops behind the one that closes it.
    private mutating func readQuoted(_ bytes: UnsafeRawBufferPointer, _ place: inout RowPosition) -> Bool {
        while true {
            guard place.offset < bytes.count, let base = bytes.baseAddress,
                let found = unsafe memchr(base + place.offset, Int32(Self.quote), bytes.count - place.offset)
            else {
                problem = "the quote that opens column \(ends.count + 1) is not closed; close it"
                return false
            }
            let end = unsafe UnsafeRawPointer(found) - base
            let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[place.offset..<end])
            unsafe text.append(contentsOf: part)
            unsafe place.line += part.count { $0 == Self.lineFeed }
            place.offset = end + 1
            guard unsafe Self.take(Self.quote, bytes, &place.offset) else { break }
            text.append(Self.quote)
        }
        guard unsafe isEnd(bytes, place.offset) else {
            problem =
                "column \(ends.count + 1) has text behind the quote that closes it, in line \(place.line); double quotes that "
                + "belong to the text"
            return false
        }
        return true
    }

    /// Whether a column ends at a byte: at a comma, at a line end or at the end of the file, which a carriage return may precede.
    private func isEnd(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> Bool {
        guard offset < bytes.count else { return true }
        return switch unsafe bytes[offset] {
        case Self.comma, Self.lineFeed: true
        case Self.carriageReturn: offset + 1 == bytes.count ? true : unsafe bytes[offset + 1] == Self.lineFeed
        default: false
        }
    }

    /// Moves behind a byte if it is the next one.
    private static func take(_ byte: UInt8, _ bytes: UnsafeRawBufferPointer, _ offset: inout Int) -> Bool {
        guard offset < bytes.count, unsafe bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    /// The start of the line after the one that begins at a position.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, from start: RowPosition) -> RowPosition {
        let end = unsafe bytes[start.offset...].firstIndex(of: lineFeed).map { $0 + 1 } ?? bytes.count
        return RowPosition(offset: end, line: start.line + 1)
    }
}
