import Randomness

/// Makes damaged safetensors files from intact ones; the same seed gives the same files.
struct SafetensorsMutator {
    private let originals: [[UInt8]]
    private var stream: RandomStream

    init(originals: [[UInt8]], seed: UInt64) {
        self.originals = originals
        stream = RandomStream(seed: seed, purpose: .test)
    }

    /// The next file, with one to three changes.
    mutating func next() -> [UInt8] {
        var bytes = pick(originals)
        for _ in 0...pick([0, 0, 0, 1, 2]) { change(&bytes) }
        return bytes
    }

    private mutating func below(_ bound: Int) -> Int { stream.below(bound) }

    private mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard bytes.count > 8 else { return }
        switch below(12) {
        case 0: bytes[below(8)] ^= 1 << below(8)
        case 1: bytes[8 + below(headerCount(bytes))] ^= 1 << below(8)
        case 2: bytes.removeLast(below(bytes.count))
        case 3: splice(&bytes)
        case 4, 5: editHeader(&bytes) { $0.replaceNumber(&$1) }
        case 6: editHeader(&bytes) { $0.insertToken(&$1) }
        case 7: editHeader(&bytes) { $0.deletePart(&$1) }
        case 8: editHeader(&bytes) { $0.duplicatePart(&$1) }
        case 9: editHeader(&bytes) { $0.replaceWord(&$1) }
        case 10: bytes.append(contentsOf: repeatElement(0, count: 1 + below(9)))
        default: bytes[bytes.count - 1 - below(min(8, bytes.count - 8))] ^= 0x55
        }
    }

    /// Length of the header within the file, at least 1.
    private func headerCount(_ bytes: [UInt8]) -> Int {
        let stated = bytes[0..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return max(1, Int(min(stated, UInt64(bytes.count - 8))))
    }

    /// Overwrites a part with a part of another file.
    private mutating func splice(_ bytes: inout [UInt8]) {
        let other = pick(originals)
        let from = below(other.count)
        let part = other[from..<min(other.count, from + 1 + below(40))]
        let to = below(bytes.count)
        bytes.replaceSubrange(to..<min(bytes.count, to + part.count), with: part)
    }

    /// Changes the header and, in most cases, the header's length accordingly.
    private mutating func editHeader(_ bytes: inout [UInt8], _ edit: (inout Self, inout [UInt8]) -> Void) {
        let end = 8 + headerCount(bytes)
        var header = Array(bytes[8..<end])
        edit(&self, &header)
        bytes.replaceSubrange(8..<end, with: header)
        guard below(10) > 0 else { return }
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: header.count >> (8 * index)) }
    }

    private mutating func replaceNumber(_ header: inout [UInt8]) {
        let digits = header.indices.filter { (0x30...0x39).contains(header[$0]) }
        guard !digits.isEmpty else { return }
        var start = pick(digits)
        while start > 0, (0x30...0x39).contains(header[start - 1]) { start -= 1 }
        var end = start
        while end < header.count, (0x30...0x39).contains(header[end]) { end += 1 }
        let number = pick([
            "0", "1", "2", "3", "4", "6", "8", "14", "24", "32", "40", "-1", "007", "1.5", "1e9", "4294967296",
            "2305843009213693952", "4611686018427387904", "9223372036854775807", "9223372036854775808",
            "18446744073709551616", "99999999999999999999999999", "", "\(below(100))",
        ])
        header.replaceSubrange(start..<end, with: Array(number.utf8))
    }

    private mutating func insertToken(_ header: inout [UInt8]) {
        let token = pick([
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud800", "\\udc00", "null", "true", " ", "\n", "\0",
            "\u{7f}",
            "é", "😀", #","n":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#, #""dtype":"F32","#, "[[[[[[[[",
            "{\"\":",
        ])
        header.insert(contentsOf: Array(token.utf8), at: below(header.count + 1))
    }

    private mutating func deletePart(_ header: inout [UInt8]) {
        let start = below(header.count)
        header.removeSubrange(start..<min(header.count, start + 1 + below(12)))
    }

    private mutating func duplicatePart(_ header: inout [UInt8]) {
        let start = below(header.count)
        let end = min(header.count, start + 1 + below(90))
        header.insert(contentsOf: header[start..<end], at: end)
    }

    private mutating func replaceWord(_ header: inout [UInt8]) {
        let words = [
            "F64", "F32", "F16", "BF16", "I64", "I32", "I16", "U8", "BOOL", "dtype", "shape", "data_offsets",
            "__metadata__", "format", "a", "b", "x",
        ]
        let from = Array("\"\(pick(words))\"".utf8)
        let to = Array("\"\(pick(words))\"".utf8)
        let starts = header.indices.filter { header[$0...].starts(with: from) }
        guard !starts.isEmpty else { return }
        let start = pick(starts)
        header.replaceSubrange(start..<start + from.count, with: to)
    }
}
