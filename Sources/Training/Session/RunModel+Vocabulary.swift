import Backbone
import Failures
import Foundation
import Text

extension RunModel {
    /// The vocabulary of a model directory, with its added tokens; refused when it does not fit the embedding, or
    /// `config.json` has other ids for padding and the end of a text than the vocabulary. One that is far too small for the
    /// embedding is refused where `isNew`: runs that began with it, before this was looked at, were right and may go on.
    package static func openVocabulary(
        _ directory: String, _ shape: any BackboneShape, isNew: Bool = true
    ) throws(Failure) -> Vocabulary {
        let path = directory + "/spiece.model"
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(
                .inputMissing,
                "\(path) is missing; the model's SentencePiece vocabulary belongs beside its weights: take it from where "
                    + "they come from")
        }
        let vocabulary = try Vocabulary(directory: directory, rows: shape.vocabularySize)
        guard vocabulary.pieceCount <= shape.vocabularySize else {
            throw Failure(
                .badData,
                "\(directory)/spiece.model has \(vocabulary.pieceCount) pieces, but the model's embedding only "
                    + "\(shape.vocabularySize) rows; take both from the same model")
        }
        if isNew, EmbeddingFit(ids: vocabulary.idCount, rows: shape.vocabularySize) == .isOfAnother {
            throw Failure(
                .badData,
                "\(directory)/config.json has an embedding of \(shape.vocabularySize) rows, but \(directory)/spiece.model and "
                    + "its added tokens name only \(vocabulary.idCount): it is another model's vocabulary; take both from "
                    + "the same model")
        }
        for (key, id, own) in [
            ("pad_token_id", shape.padToken, Vocabulary.padID), ("eos_token_id", shape.endToken, Vocabulary.eosID),
        ] where id != own {
            throw Failure(
                .badData,
                "\(directory)/config.json has \(key) \(id), but \(directory)/spiece.model has \(own) there; take both from "
                    + "the same model")
        }
        return vocabulary
    }

    /// What a user should know of a vocabulary that leaves many rows of the embedding without a token; nil for the usual.
    package static func warning(_ vocabulary: Vocabulary, _ shape: any BackboneShape) -> String? {
        guard EmbeddingFit(ids: vocabulary.idCount, rows: shape.vocabularySize) != .fits else { return nil }
        return
            "\(shape.vocabularySize - vocabulary.idCount) of the \(shape.vocabularySize) rows of the embedding have no token in \(vocabulary.path); "
            + "check that the vocabulary is the model's"
    }
}
