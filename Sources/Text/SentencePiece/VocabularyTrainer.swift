import CSentencePiece
public import Failures
public import Tensors

/// Trains small vocabularies for models that start from scratch.
public enum VocabularyTrainer {
    /// Trains a unigram model with T5's special ids (pad 0, eos 1, unk 2, no bos) and writes it to `path`.
    ///
    /// The same sentences in the same order give the same bytes. Nothing is printed. Empty sentences are ignored.
    ///
    /// - Parameters:
    ///   - sentences: The text; every character in it gets a piece.
    ///   - pieces: The size of the vocabulary, special pieces included.
    ///   - path: The model file; replaced in one step.
    /// - Throws: `badData` when there is no text, or when the text does not allow this number of pieces; `cannotWrite` when the
    ///   file cannot be written.
    @discardableResult
    public static func train(
        sentences: [String], pieces: Int, to path: String
    ) throws(Failure) -> DurableFile.Summary {
        guard sentences.contains(where: { $0.contains { !$0.isWhitespace } }) else {
            throw Failure(
                .badData, "a vocabulary cannot be trained on no text (\(sentences.count) sentences); give it sentences")
        }
        guard pieces >= minimumPieces, pieces <= Int(Int32.max) else {
            throw Failure(.badData, "a vocabulary of \(pieces) pieces is impossible; ask for \(minimumPieces) or more")
        }
        let model = try unsafe trained(sentences, pieces: Int32(pieces))
        defer { unsafe csp_free(model.baseAddress) }
        return try DurableFile.replace(path) { (file) throws(Failure) in
            try unsafe file.write(UnsafeRawBufferPointer(model))
        }
    }

    /// The special pieces and one more piece.
    private static let minimumPieces = 4

    /// Returns the serialised model; the caller frees it.
    private static func trained(_ sentences: [String], pieces: Int32) throws(Failure) -> UnsafeMutableRawBufferPointer {
        // All sentences are stored end to end, so that the library gets stable pointers.
        let text = sentences.reduce(into: [CChar]()) { text, sentence in
            text.append(contentsOf: sentence.utf8.lazy.map(CChar.init(bitPattern:)))
        }
        let lengths = sentences.map { $0.utf8.count }
        var model: UnsafeMutableRawPointer?
        var length = 0
        try unsafe text.withUnsafeBufferPointer { (bytes) throws(Failure) in
            var next = bytes.baseAddress!
            let starts = unsafe lengths.map { length in
                defer { unsafe next += length }
                return unsafe Optional(next)
            }
            try unsafe callLibrary(
                "cannot train a vocabulary of \(pieces) pieces on \(sentences.count) sentences", refusal: .badData
            ) { message in
                unsafe csp_train(starts, lengths, lengths.count, pieces, &model, &length, message)
            }
        }
        return unsafe UnsafeMutableRawBufferPointer(start: model, count: length)
    }
}
