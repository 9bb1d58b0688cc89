/// Replaces characters like a SentencePiece model, except for its treatment of white space: "ﬁ" becomes "fi".
///
/// It serves the search for added tokens in the normalised text. Source: sentencepiece normalizer.cc, `NormalizePrefix`.
struct TextNormaliser: Sendable {
    /// A sound table (`NormalisationTable`), or empty.
    private let table: [UInt8]
    private let trieSize: Int

    /// Takes the table from a complete serialised model.
    init(model bytes: UnsafeRawBufferPointer) {
        var table: [UInt8] = []
        _ = unsafe ProtocolBuffer.forEachDelimitedField(bytes) { number, content in
            guard number == 3 else { return }
            _ = unsafe ProtocolBuffer.forEachDelimitedField(content) { number, bytes in
                if number == 2 { table = unsafe Array(bytes) }
            }
        }
        self.table = table
        trieSize = table.isEmpty ? 0 : Int(Self.number(table, 0))
    }

    /// Returns the normalised text and, for each of its bytes, the byte of `text` that it comes from; the end of `text` comes
    /// last.
    func normalised(_ text: UnsafeRawBufferPointer) -> (text: [UInt8], origins: [Int]) {
        var (result, origins) = ([UInt8](), [Int]())
        var place = 0
        while place < text.count {
            let count: Int
            let start = result.count
            if let found = unsafe replacement(text[place...]) {
                count = found.length
                result += table[found.text...].prefix { $0 != 0 }
            } else {
                count = 1
                unsafe result.append(text[place])
            }
            origins += repeatElement(place, count: result.count - start)
            place += count
        }
        return (result, origins + [text.count])
    }

    /// The same text as a string.
    func normalised(_ text: String) -> String {
        var text = text
        return text.withUTF8 { unsafe String(decoding: normalised(UnsafeRawBufferPointer($0)).text, as: UTF8.self) }
    }

    /// The longest entry that the text starts with: its length, and the offset of its replacement in the table.
    private func replacement(_ text: Slice<UnsafeRawBufferPointer>) -> (length: Int, text: Int)? {
        guard trieSize > 0 else { return nil }
        func unit(_ place: Int) -> UInt32 { Self.number(table, 4 + 4 * place) }
        func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 1 << 9) >> 6)) }
        var place = offset(unit(0))
        var found: (length: Int, text: Int)?
        for index in unsafe 0..<text.count {
            let byte = unsafe text[text.startIndex + index]
            place ^= Int(byte)
            let next = unit(place)
            guard next & (1 << 31 | 0xFF) == UInt32(byte) else { break }
            place ^= offset(next)
            if next >> 8 & 1 == 1 {
                found = (index + 1, 4 + trieSize + Int(unit(place) & 0x7FFF_FFFF))
            }
        }
        return found
    }

    private static func number(_ table: [UInt8], _ place: Int) -> UInt32 {
        unsafe table.withUnsafeBytes {
            unsafe UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        }
    }
}
