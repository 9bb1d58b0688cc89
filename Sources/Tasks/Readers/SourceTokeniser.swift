import Failures
import Text

/// Turns sources into at most `maxSource` ids and finds out which parts the model does not see.
struct SourceTokeniser: Sendable {
    let definition: TaskDefinition
    let vocabulary: any Tokenizer
    /// The maximal length in tokens, EOS included.
    let maxSource: Int

    /// The result of tokenising a source.
    struct Finding: Sendable, Equatable {
        /// Whether it was cut.
        var isCut = false
        /// The parts that the cut removes completely.
        var lost: [SourcePart] = []
        /// Whether it holds an added token.
        var holdsAddedToken = false
        /// Tokens before the cut, EOS excluded.
        var tokens = 0
        /// Those tokens that stand for text without a piece.
        var unknownTokens = 0
        /// Characters, white space excluded.
        var characters = 0
        /// Those characters that no piece covers.
        var unknownCharacters = 0
    }

    /// Appends the ids of a source, EOS included. Throws `badData` for an added token that the model does not have.
    func append(_ source: RenderedSource, to lists: inout TokenLists) throws(Failure) -> Finding {
        try unsafe source.text.withUnsafeBufferPointer { (buffer) throws(Failure) in
            let bytes = UnsafeRawBufferPointer(buffer)
            var finding = Finding()
            finding.characters = unsafe Self.characters(bytes)
            finding.isCut = try lists.append(limit: maxSource, end: vocabulary.endID) { (ids) throws(Failure) in
                let start = ids.count
                finding.holdsAddedToken = try unsafe vocabulary.encode(utf8: bytes, into: &ids)
                finding.tokens = ids.count - start
                finding.unknownTokens = ids[start...].count { $0 == vocabulary.unknownID }
            }
            guard finding.isCut || finding.unknownTokens > 0 else { return finding }
            let spans = try unsafe vocabulary.spans(utf8: bytes)
            var begin = 0
            for span in spans {
                let end = max(span.end, begin)
                if span.id == vocabulary.unknownID {
                    unsafe finding.unknownCharacters += Self.characters(
                        UnsafeRawBufferPointer(rebasing: bytes[begin..<end]))
                }
                begin = end
            }
            if finding.isCut {
                let kept = maxSource - 1
                finding.lost = definition.lostParts(of: source, behind: spans.prefix(kept).last?.end ?? 0)
            }
            return finding
        }
    }

    /// Number of characters of a UTF-8 text, white space excluded.
    private static func characters(_ text: UnsafeRawBufferPointer) -> Int {
        guard let base = unsafe text.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
        // The loop uses a bare pointer so that it is vectorised: every text is counted.
        var count = 0
        for index in 0..<text.count {
            unsafe count &+= base[index] & 0xC0 != 0x80 && base[index] > 0x20 ? 1 : 0
        }
        return count
    }
}
