import CSentencePiece
public import Failures

extension Vocabulary {
    /// Returns the text of ids like transformers (`decode(ids, skip_special_tokens=True)`). Special tokens (pad, EOS, unknown,
    /// sentinels) are dropped, and so are ids without a token (the padding rows of the embedding). Other added tokens are
    /// written as they are, without a space before them.
    ///
    /// Throws `internal` when the library fails (memory is exhausted).
    public func decode(_ ids: [Int32]) throws(Failure) -> String {
        var text = ""
        var pieces: [Int32] = []
        func flush() throws(Failure) {
            guard let first = pieces.first else { return }
            // At the very start of the text, the space is omitted.
            if !text.isEmpty, try handle.name(of: first).hasPrefix("\u{2581}") { text += " " }
            text += try decodePieces(pieces)
            pieces = []
        }
        for id in ids {
            if let token = added.byID[id] {
                if token.isSpecial { continue }
                try flush()
                text += token.content
            } else if id >= 0 && id < pieceCount {
                pieces.append(id)
            }
        }
        try flush()
        return text
    }

    private func decodePieces(_ pieces: [Int32]) throws(Failure) -> String {
        var text: [CChar] = []
        var length = pieces.count * 16
        repeat {
            text = [CChar](repeating: 0, count: length)
            try unsafe text.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
                try unsafe callLibrary("cannot decode \(pieces.count) ids", refusal: .internal) { message in
                    unsafe csp_decode(model, pieces, pieces.count, buffer.baseAddress, buffer.count, &length, message)
                }
            }
        } while length > text.count
        return String(decoding: text[..<length].lazy.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
