/// Reads JSON text strictly, value by value, without building a tree.
///
/// Foundation's decoders silently keep one of several equal keys. With tensor names that would be a way to get data past a
/// check, so this reader shows the caller every key. The text's length bounds the memory, and `skipValue` limits the depth.
///
/// Safe except for `bytes`: it reads none beyond their end. They must outlive the reader.
@safe package struct JSONReader {
    /// What is wrong, and at which byte of the text.
    package struct Problem: Error {
        package let text: String
        package let offset: Int
    }

    package let bytes: UnsafeRawBufferPointer
    /// Number of bytes.
    var end: Int { unsafe bytes.count }
    package private(set) var offset = 0
    /// Whether `skipValue` also reads strings as names; set for a text that another parser reads after the check.
    private let everyStringIsName: Bool

    package init(_ bytes: UnsafeRawBufferPointer, everyStringIsName: Bool = false) {
        unsafe self.bytes = bytes
        self.everyStringIsName = everyStringIsName
    }

    /// Skips bytes that were looked at already.
    mutating func advance(_ count: Int) {
        offset += count
    }

    package func problem(_ text: String) -> Problem { Problem(text: text, offset: offset) }

    /// The next byte that is not white space; it is not consumed.
    package mutating func peek() -> UInt8? {
        while offset < end {
            switch unsafe bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            case let byte: return byte
            }
        }
        return nil
    }

    /// Consumes a punctuation character if it is the next one.
    package mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek() == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Problem) {
        guard take(character) else {
            throw problem(
                offset < end ? "'\(character)' expected" : "text ends where '\(character)' belongs")
        }
    }

    /// Reads an object; `body` is called after each key and must consume the value.
    package mutating func object(
        _ body: (inout JSONReader, String) throws(Problem) -> Void
    ) throws(Problem) {
        try expect("{")
        if take("}") { return }
        repeat {
            let key = try name()
            try expect(":")
            try body(&self, key)
        } while take(",")
        try expect("}")
    }

    /// Reads an array; `body` must consume one element.
    package mutating func array(_ body: (inout JSONReader) throws(Problem) -> Void) throws(Problem) {
        try expect("[")
        if take("]") { return }
        repeat {
            try body(&self)
        } while take(",")
        try expect("]")
    }

    /// Reads a whole number of 0 or more that fits in an `Int`.
    package mutating func natural() throws(Problem) -> Int {
        guard let first = peek() else { throw problem("text ends where a number belongs") }
        if first == UInt8(ascii: "-") { throw problem("negative number") }
        let start = offset
        var value = 0
        while offset < end, case let digit = unsafe bytes[offset] &- 0x30, digit < 10 {
            let (shifted, overflowA) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowB) = shifted.addingReportingOverflow(Int(digit))
            if overflowA || overflowB { throw problem("number too large") }
            value = sum
            offset += 1
        }
        if offset == start { throw problem("whole number expected") }
        if unsafe offset - start > 1 && bytes[start] == 0x30 { throw problem("number with a leading zero") }
        if offset < end, unsafe [0x2E, 0x65, 0x45].contains(bytes[offset]) { throw problem("number is not whole") }
        return value
    }

    /// Consumes `null` if it is the next value.
    package mutating func takeNull() -> Bool {
        guard peek() == UInt8(ascii: "n"), unsafe bytes[offset...].starts(with: "null".utf8) else { return false }
        offset += 4
        return true
    }

    /// Consumes any value without keeping it.
    package mutating func skipValue(depth: Int = 0) throws(Problem) {
        if depth > 32 { throw problem("values nested deeper than 32") }
        guard let first = peek() else { throw problem("text ends where a value belongs") }
        switch first {
        case UInt8(ascii: "{"):
            try object { (reader, _) throws(Problem) in try reader.skipValue(depth: depth + 1) }
        case UInt8(ascii: "["):
            try array { (reader) throws(Problem) in try reader.skipValue(depth: depth + 1) }
        case UInt8(ascii: "\""):
            _ = everyStringIsName ? try name() : try string()
        default:
            let start = offset
            while offset < end, unsafe isScalarByte(bytes[offset]) { offset += 1 }
            let text = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
            guard unsafe Self.words.contains(where: { unsafe text.elementsEqual($0.utf8) }) || Self.isNumber(text)
            else {
                offset = start
                throw problem("value expected")
            }
        }
    }

    private func isScalarByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
        default: false
        }
    }

    private static let words = ["true", "false", "null"]

    /// Whether the text is `-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?`.
    private static func isNumber(_ text: UnsafeRawBufferPointer) -> Bool {
        var rest = unsafe text[...]
        func take(_ characters: String) -> Bool {
            guard let first = unsafe rest.first, characters.utf8.contains(first) else { return false }
            unsafe rest.removeFirst()
            return true
        }
        func digits() -> Int {
            let count = unsafe rest.prefix { (0x30...0x39).contains($0) }.count
            unsafe rest.removeFirst(count)
            return count
        }
        _ = take("-")
        if !take("0"), digits() == 0 { return false }
        if take("."), digits() == 0 { return false }
        if take("eE") {
            _ = take("+-")
            if digits() == 0 { return false }
        }
        return unsafe rest.isEmpty
    }
}
