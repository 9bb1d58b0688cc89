/// The table of a model's text normalisation: the size of a trie in bytes (UInt32), the trie, and the replacement
/// texts, each ended by a zero byte.
///
/// The trie is a double array of 32-bit units. From the unit at index p, the walk goes to the unit at `p ^ offset(unit) ^ byte`
/// for the next byte of the text. It continues if that unit's label is the byte. A unit with a leaf has its value, an offset
/// into the texts, at `p ^ offset(unit)`.
/// Source: Darts-clone (`DoubleArrayUnit`), sentencepiece normalizer.cc.
enum NormalisationTable {
    /// Whether no text can make a walk leave the trie, and no value points outside the texts.
    static func isSound(_ table: UnsafeRawBufferPointer) -> Bool {
        if unsafe table.isEmpty { return true }
        guard table.count >= 4 else { return false }
        let size = unsafe Int(UInt32(littleEndian: table.loadUnaligned(as: UInt32.self)))
        guard size > 0, size % 4 == 0, size <= table.count - 4 else { return false }
        let trie = unsafe UnsafeRawBufferPointer(rebasing: table[4..<4 + size])
        let texts = unsafe table[(4 + size)...]
        guard unsafe texts.last == 0 else { return false }
        let count = size / 4
        func value(_ place: Int) -> UInt32 {
            unsafe UInt32(littleEndian: trie.loadUnaligned(fromByteOffset: place * 4, as: UInt32.self))
        }
        for place in 0..<count {
            let unit = value(place)
            // A unit with the highest bit set holds a value: its label is not a byte, so no walk continues from it.
            if unit >> 31 == 1 && place != 0 { continue }
            let next = place ^ Int((unit >> 10) << ((unit & 1 << 9) >> 6))
            guard next | 0xFF < count else { return false }
            let hasLeaf = unit >> 8 & 1 == 1
            if unsafe hasLeaf && Int(value(next) & 0x7FFF_FFFF) >= texts.count { return false }
        }
        return true
    }
}
