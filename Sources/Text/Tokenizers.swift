import Failures
import Foundation

/// The tokenizers that this program knows, by the file in a model's directory that each is made of.
public enum Tokenizers {
    /// A kind of tokenizer.
    struct Kind {
        /// The file that the directory of such a model holds.
        var file: String
        /// Opens it in a directory, for an embedding of so many rows.
        var open: (_ directory: String, _ rows: Int) throws(Failure) -> any Tokenizer
    }

    /// All kinds, in the order in which a directory is searched for them. A new one is a line here.
    static var kinds: [Kind] {
        [
            Kind(file: "spiece.model") { directory, rows throws(Failure) in
                try Vocabulary(directory: directory, rows: rows)
            }
        ]
    }

    /// Opens the tokenizer of a model's directory, whose embedding has so many rows.
    ///
    /// Throws `inputMissing` where the directory holds none, and `badData` where it is damaged, contradicts itself or has a
    /// token beyond the embedding.
    public static func open(directory: String, rows: Int) throws(Failure) -> any Tokenizer {
        for kind in kinds where FileManager.default.fileExists(atPath: directory + "/" + kind.file) {
            return try kind.open(directory, rows)
        }
        let files = kinds.map { directory + "/" + $0.file }.joined(separator: " or ")
        throw Failure(
            .inputMissing,
            "\(files) is missing; the model's vocabulary belongs beside its weights: take it from where they come from")
    }
}
