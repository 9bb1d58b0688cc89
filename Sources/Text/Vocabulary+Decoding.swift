import CSentencePiece
import Failures

extension Vocabulary {
    /// The text of generated ids: ids from the first EOS on do not count.
    ///
    /// Throws `internal` when the library fails (memory is exhausted).
    public func answer(_ ids: some Sequence<Int32>) throws(Failure) -> String {
        try decode(ids.prefix { $0 != Self.eosID })
    }

    /// The text of ids as T5 reads it: pad and EOS are dropped, and so are ids that name no piece (T5's extra ids and
    /// the padding rows of the embedding).
    ///
    /// Throws `internal` when the library fails (memory is exhausted).
    public func decode(_ ids: some Sequence<Int32>) throws(Failure) -> String {
        let pieces = ids.filter { $0 > Self.eosID && $0 < pieceCount }
        if pieces.isEmpty { return "" }
        var text: [CChar] = []
        var length = pieces.count * 16
        repeat {
            text = [CChar](repeating: 0, count: length)
            try text.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
                try callLibrary("cannot decode \(pieces.count) ids", refusal: .internal) { message in
                    csp_decode(model, pieces, pieces.count, buffer.baseAddress, buffer.count, &length, message)
                }
            }
        } while length > text.count
        return String(decoding: text[..<length].lazy.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
