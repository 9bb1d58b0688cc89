import Glibc

/// Finds the texts of a set in a text, from left to right without overlaps; at each position it takes the longest.
struct TokenSearch: Sendable {
    /// Texts with the same first byte: their lengths, longest first, and their numbers.
    private struct Bucket {
        var lengths: [Int] = []
        var tokens: [[UInt8]: Int] = [:]
    }

    private var buckets: [UInt8: Bucket] = [:]
    /// For each byte: whether some text starts with it.
    private var starts = [Bool](repeating: false, count: 256)
    private var isWholeWord: [Bool] = []
    /// All first bytes, when there are only a few.
    private var firstBytes: [UInt8] = []

    var isEmpty: Bool { buckets.isEmpty }

    /// Adds a text; matches refer to it by its number in the order of adding.
    mutating func add(_ content: String, isWholeWord: Bool) {
        let bytes = Array(content.utf8)
        var bucket = buckets[bytes[0]] ?? Bucket()
        bucket.tokens[bytes] = self.isWholeWord.count
        if !bucket.lengths.contains(bytes.count) {
            bucket.lengths = (bucket.lengths + [bytes.count]).sorted(by: >)
        }
        buckets[bytes[0]] = bucket
        if !starts[Int(bytes[0])] { firstBytes.append(bytes[0]) }
        starts[Int(bytes[0])] = true
        self.isWholeWord.append(isWholeWord)
    }

    /// Whether a text can contain any of the set's texts at all.
    func mayOccur(in text: UnsafeRawBufferPointer) -> Bool {
        guard let base = text.baseAddress else { return false }
        // In most models all added tokens start with "<".
        if firstBytes.count <= 4 { return firstBytes.contains { unsafe memchr(base, Int32($0), text.count) != nil } }
        return unsafe starts.withUnsafeBufferPointer { starts in unsafe text.contains { unsafe starts[Int($0)] } }
    }

    /// The next match at or after a position.
    func next(in text: UnsafeRawBufferPointer, from start: Int) -> (range: Range<Int>, token: Int)? {
        var place = start
        while place < text.count {
            if unsafe starts[Int(text[place])], let bucket = unsafe buckets[text[place]] {
                for length in bucket.lengths where length <= text.count - place {
                    let range = place..<place + length
                    guard let token = unsafe bucket.tokens[Array(text[range])] else { continue }
                    if isWholeWord[token], unsafe touchesWord(range, text) {
                        // The search continues after the rejected match, like the reference's.
                        place += length - 1
                        break
                    }
                    return (range, token)
                }
            }
            place += 1
        }
        return nil
    }

    /// Whether a word character is directly before or after a range.
    private func touchesWord(_ range: Range<Int>, _ text: UnsafeRawBufferPointer) -> Bool {
        // A character has at most four bytes.
        let before = unsafe String(decoding: text[max(0, range.lowerBound - 4)..<range.lowerBound], as: UTF8.self)
        let behind = unsafe String(
            decoding: text[range.upperBound..<min(text.count, range.upperBound + 4)], as: UTF8.self)
        return [before.unicodeScalars.last, behind.unicodeScalars.first].contains { $0.map(Self.isWord) ?? false }
    }

    /// Whether regular expressions count the character as `\w`.
    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        switch properties.generalCategory {
        case .decimalNumber, .connectorPunctuation, .nonspacingMark, .spacingMark, .enclosingMark: return true
        default: return properties.isAlphabetic || properties.isJoinControl
        }
    }
}
