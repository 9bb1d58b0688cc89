extension JSONReader {
    /// Reads a string that is compared or looked up: a key, a name, a label.
    package mutating func name() throws(Problem) -> String {
        let text = try string()
        guard text.isStreamSafe else { throw problem("more than 30 combining marks in a row") }
        return text
    }

    /// Reads a string; the text must be valid UTF-8 and its escapes valid JSON.
    package mutating func string() throws(Problem) -> String {
        try expect("\"")
        let start = offset
        while offset < end {
            switch unsafe bytes[offset] {
            case UInt8(ascii: "\""):
                let text = try text(start..<offset)
                advance(1)
                return text
            case UInt8(ascii: "\\"):
                return try stringWithEscapes(from: start)
            case 0..<0x20:
                throw problem("control character in a string")
            default:
                advance(1)
            }
        }
        throw problem("string without an end")
    }

    private func text(_ range: Range<Int>) throws(Problem) -> String {
        guard let text = unsafe String(validating: bytes[range], as: UTF8.self) else {
            throw Problem(text: "string that is not UTF-8", offset: range.lowerBound)
        }
        return text
    }

    /// The slow path, from the string's first escape on.
    private mutating func stringWithEscapes(from start: Int) throws(Problem) -> String {
        var result = try text(start..<offset)
        var run = offset
        while offset < end {
            switch unsafe bytes[offset] {
            case UInt8(ascii: "\""):
                result += try text(run..<offset)
                advance(1)
                return result
            case UInt8(ascii: "\\"):
                result += try text(run..<offset)
                advance(1)
                result.unicodeScalars.append(try escape())
                run = offset
            case 0..<0x20:
                throw problem("control character in a string")
            default:
                advance(1)
            }
        }
        throw problem("string without an end")
    }

    /// Reads what follows a backslash.
    private mutating func escape() throws(Problem) -> Unicode.Scalar {
        guard offset < end else { throw problem("string without an end") }
        let character = unsafe bytes[offset]
        advance(1)
        switch character {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(character)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw problem("unknown escape in a string")
        }
    }

    /// Reads the digits after `\u`, and the second half of a surrogate pair.
    private mutating func unicodeEscape() throws(Problem) -> Unicode.Scalar {
        let first = try fourHexadecimalDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, offset + 1 < end, unsafe bytes[offset] == UInt8(ascii: "\\"),
            unsafe bytes[offset + 1] == UInt8(ascii: "u")
        else { throw problem("half of a surrogate pair in a string") }
        advance(2)
        let second = try fourHexadecimalDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw problem("half of a surrogate pair in a string") }
        return scalar
    }

    private mutating func fourHexadecimalDigits() throws(Problem) -> UInt32 {
        guard offset + 4 <= end else { throw problem("string without an end") }
        var value: UInt32 = 0
        for place in offset..<offset + 4 {
            let byte = unsafe bytes[place]
            guard byte < 0x80, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw problem("unknown escape in a string")
            }
            value = value << 4 | UInt32(digit)
        }
        advance(4)
        return value
    }
}
