import Foundation

/// One line of the output: a JSON object whose keys are sorted.
///
/// It is written here and not by Foundation, whose encoder cannot pass on an id as the input writes it.
struct AnswerLine {
    private(set) var bytes: [UInt8] = []
    private var last = ""

    /// The object with what `fill` adds, and the line's end.
    init(_ fill: (inout AnswerLine) -> Void) {
        bytes.append(UInt8(ascii: "{"))
        fill(&self)
        bytes += "}\n".utf8
    }

    /// Adds a text.
    mutating func add(_ key: String, _ text: String) {
        begin(key)
        append(text)
    }

    /// Adds a text, unless it is nil.
    mutating func add(_ key: String, ifAny text: String?) {
        if let text { add(key, text) }
    }

    /// Adds a whole number.
    mutating func add(_ key: String, _ number: Int) { add(key, raw: String(number)) }

    /// Adds a number, unless it is nil.
    mutating func add(_ key: String, ifAny number: Double?) {
        if let number { add(key, raw: Self.text(number)) }
    }

    /// Adds `true`, or nothing.
    mutating func add(_ key: String, ifTrue value: Bool) {
        if value { add(key, raw: "true") }
    }

    /// Adds a list of texts.
    mutating func add(_ key: String, _ texts: [String]) {
        begin(key)
        bytes.append(UInt8(ascii: "["))
        for (position, text) in texts.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            append(text)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Adds an object of numbers, in the given order.
    mutating func add(_ key: String, _ numbers: [(name: String, value: Double)]) {
        begin(key)
        bytes.append(UInt8(ascii: "{"))
        for (position, entry) in numbers.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            append(entry.name)
            bytes.append(UInt8(ascii: ":"))
            bytes += Self.text(entry.value).utf8
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Adds a value that is JSON already, unless it is nil.
    mutating func add(_ key: String, raw json: String?) {
        guard let json else { return }
        begin(key)
        bytes += json.utf8
    }

    private mutating func begin(_ key: String) {
        assert(last < key, "keys must be added in their order")
        if !last.isEmpty { bytes.append(UInt8(ascii: ",")) }
        last = key
        append(key)
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func append(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20: bytes += String(format: "\\u%04x", Int(byte)).utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// The shortest text that reads as the same number.
    private static func text(_ number: Double) -> String {
        let text = "\(number)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
