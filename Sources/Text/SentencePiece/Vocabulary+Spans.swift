import CSentencePiece
public import Failures

extension Vocabulary {
    /// The tokens that `encode` gives for UTF-8 bytes, with their positions; slower than `encode`.
    public func spans(utf8 bytes: UnsafeRawBufferPointer) throws(Failure) -> [TokenSpan] {
        var spans: [TokenSpan] = []
        _ = try unsafe added.forEachPart(of: bytes) { (part) throws(Failure) in
            switch unsafe part {
            case .text(let text, let origins):
                for span in try unsafe pieceSpans(text) {
                    spans.append(TokenSpan(id: span.id, end: origins(min(Int(span.end), text.count))))
                }
            case .token(let token, let end): spans.append(TokenSpan(id: token.id, end: end))
            }
        }
        return spans
    }

    private func pieceSpans(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> [csp_span] {
        var spans: [csp_span] = []
        var count = bytes.count + 16
        repeat {
            spans = Array(repeating: csp_span(), count: count)
            try unsafe spans.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
                try unsafe callLibrary("cannot encode a text of \(bytes.count) bytes", refusal: .internal) { message in
                    unsafe csp_spans(
                        model, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, buffer.baseAddress,
                        buffer.count, &count, message)
                }
            }
        } while count > spans.count
        return Array(spans[..<count])
    }
}
