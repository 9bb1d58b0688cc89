import Failures

/// Consecutive lines of the input, as the ranks share them.
struct LineGroup: Equatable {
    /// A line without its line end.
    enum Line: Equatable {
        case text(String)
        case notUTF8
        case tooLong
    }

    /// The number of the first line; lines count from 1.
    let first: Int
    /// The lines end to end.
    private(set) var bytes: [UInt8] = []
    /// Where each line ends in `bytes`; the complement for a line that was too long, of which nothing is kept.
    private var ends: [Int64] = []

    /// A group without lines.
    init(first: Int) { self.first = first }

    /// Number of lines.
    var count: Int { ends.count }

    mutating func append(_ line: some Collection<UInt8>) {
        bytes += line
        ends.append(Int64(bytes.count))
    }

    mutating func appendTooLong() { ends.append(~Int64(bytes.count)) }

    /// The line at an index.
    subscript(index: Int) -> Line {
        guard ends[index] >= 0 else { return .tooLong }
        return String(validating: bytes[start(index)..<start(index + 1)], as: UTF8.self).map(Line.text) ?? .notUTF8
    }

    private func start(_ index: Int) -> Int {
        guard index > 0 else { return 0 }
        let end = ends[index - 1]
        return Int(end < 0 ? ~end : end)
    }

    /// The lines of one of `size` ranks: consecutive lines, of about the same length for every rank.
    func share(of rank: Int, size: Int) -> Range<Int> {
        // A line costs something even without text.
        func weight(before index: Int) -> Int { start(index) + 32 * index }
        func cut(_ part: Int) -> Int {
            var (low, high) = (0, count)
            while low < high {
                let middle = (low + high) / 2
                if weight(before: middle) * size < weight(before: count) * part {
                    low = middle + 1
                } else {
                    high = middle
                }
            }
            return low
        }
        return cut(rank)..<cut(rank + 1)
    }

    /// The group as bytes, for other ranks.
    var encoded: [UInt8] {
        var result = [UInt8]()
        result.reserveCapacity(16 + 8 * count + bytes.count)
        for word in [Int64(first), Int64(count)] + ends { result.append(word) }
        return result + bytes
    }

    /// Reads `encoded`.
    init(encoded: [UInt8]) throws(Failure) {
        func word(_ index: Int) -> Int64 {
            encoded[8 * index..<8 * index + 8].reversed().reduce(0) { $0 << 8 | Int64($1) }
        }
        guard encoded.count >= 16, case let count = Int(word(1)), count >= 0, encoded.count >= 16 + 8 * count else {
            throw Failure(.internal, "lines that were sent to this rank are damaged")
        }
        first = Int(word(0))
        ends = (0..<count).map { word(2 + $0) }
        bytes = Array(encoded[(16 + 8 * count)...])
    }
}

extension [UInt8] {
    /// Appends a number, lowest byte first.
    mutating func append(_ word: Int64) {
        for place in 0..<8 { append(UInt8(truncatingIfNeeded: word >> (8 * Int64(place)))) }
    }
}
