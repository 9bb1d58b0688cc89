package import Backbone
package import Failures
package import Text

extension RunModel {
    /// Opens the vocabulary of a model directory, with its added tokens. Refuses it when it does not fit the embedding, or when
    /// `config.json` has other ids for padding and the end of a text. With `isNew` it also refuses one that is much too small
    /// for the embedding; earlier versions did not check this, and their runs were correct and may go on.
    package static func openVocabulary(
        _ directory: String, _ shape: any BackboneShape, isNew: Bool = true
    ) throws(Failure) -> any Tokenizer {
        let vocabulary = try Tokenizers.open(directory: directory, rows: shape.vocabularySize)
        guard vocabulary.pieceCount <= shape.vocabularySize else {
            throw Failure(
                .badData,
                "\(vocabulary.path) has \(vocabulary.pieceCount) pieces, but the model's embedding only "
                    + "\(shape.vocabularySize) rows; take both from the same model")
        }
        if isNew, EmbeddingFit(ids: vocabulary.idCount, rows: shape.vocabularySize) == .belongsToAnother {
            throw Failure(
                .badData,
                "\(directory)/config.json has an embedding of \(shape.vocabularySize) rows, but \(vocabulary.path) and "
                    + "its added tokens name only \(vocabulary.idCount): it is another model's vocabulary; take both from "
                    + "the same model")
        }
        for (key, id, own) in [
            ("pad_token_id", shape.padToken, vocabulary.paddingID), ("eos_token_id", shape.endToken, vocabulary.endID),
        ] where id != own {
            throw Failure(
                .badData,
                "\(directory)/config.json has \(key) \(id), but \(vocabulary.path) has \(own) there; take both from "
                    + "the same model")
        }
        return vocabulary
    }

    /// A warning about a vocabulary that leaves many rows of the embedding without a token; nil when the number is usual.
    package static func warning(_ vocabulary: any Tokenizer, _ shape: any BackboneShape) -> String? {
        guard EmbeddingFit(ids: vocabulary.idCount, rows: shape.vocabularySize) != .fits else { return nil }
        return
            "\(shape.vocabularySize - vocabulary.idCount) of the \(shape.vocabularySize) rows of the embedding have no token in \(vocabulary.path); "
            + "check that the vocabulary is the model's"
    }
}
