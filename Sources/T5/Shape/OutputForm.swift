import Failures
import Tensors

/// Which matrix computes the logits, and whether the decoder's output is scaled before: `config.json` and the tensors' names
/// decide.
///
/// transformers before version 5 has one key for both, `tie_word_embeddings`. Version 5 ties the two matrices whenever they are
/// equal or one is missing, always writes `tie_word_embeddings: true`, and has `scale_decoder_outputs` for the scale; but its
/// mT5 never scales. Where the versions give different numbers, nobody can know which are meant, so such a file is refused.
struct OutputForm {
    /// What must be true of the numbers when the files have both matrices.
    enum Condition {
        /// Nothing.
        case any
        /// `lm_head.weight` repeats `shared.weight`.
        case equal
        /// `lm_head.weight` is another matrix: only then all versions agree that nothing is scaled.
        case different
    }

    let matrix: T5Configuration.OutputMatrix
    let isScaled: Bool
    let condition: Condition
    /// Whether the names of the tensors decide.
    let isOpen: Bool

    /// Reads the form. `hasOwn` is whether the files have an output matrix beside an embedding; nil when there are no files.
    init(_ raw: HuggingFaceConfiguration, hasOwn: Bool?, path: String) throws(Failure) {
        // The default of version 4; in version 5 the key is always there.
        let isTied = raw.tie_word_embeddings ?? !raw.isMT5
        switch (isTied, raw.scale_decoder_outputs) {
        case (false, true?):
            throw Failure(
                .badData,
                "\(path): tie_word_embeddings is false, which says that the decoder's output is not scaled, but "
                    + "scale_decoder_outputs is true; take config.json from the model")
        case (false, _):
            (matrix, isScaled, condition, isOpen) = (.own, false, .any, false)
        case (true, true?):
            (matrix, isScaled, condition, isOpen) = (.embedding, true, .equal, false)
        case (true, nil) where !raw.isMT5:
            (matrix, isScaled, condition, isOpen) = (.embedding, true, .equal, false)
        case (true, let scale):
            // Version 5 wrote this file. Tied or not, the numbers are the same when the files have both matrices.
            if hasOwn == false, scale == nil { throw Self.undecided(path, "has no lm_head.weight") }
            let isOwn = hasOwn ?? true
            matrix = isOwn ? .own : .embedding
            (isScaled, condition, isOpen) = (false, isOwn && scale == nil ? .different : .any, true)
        }
    }

    /// Whether files have an output matrix beside an embedding.
    static func hasOwn(_ files: TensorCollection) -> Bool {
        let embeddings = ["shared.weight", "encoder.embed_tokens.weight", "decoder.embed_tokens.weight"]
        return files["lm_head.weight"] != nil && embeddings.contains { files[$0] != nil }
    }

    /// The refusal of an mT5 whose output matrix is the embedding, which the versions scale differently.
    static func undecided(_ path: String, _ reason: String) -> Failure {
        Failure(
            .badData,
            "\(path) says tie_word_embeddings true and the model \(reason): transformers 4 scales the decoder's output of "
                + "such an mT5, and 5 does not; add \"scale_decoder_outputs\": true or false to config.json")
    }
}
