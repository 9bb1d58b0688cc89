public import Failures
import Foundation

/// The tokenizers that this program knows; each is recognised by a file in the model's directory.
public enum Tokenizers {
    /// A kind of tokenizer.
    struct Kind {
        /// The file by which a model's directory is recognised.
        var file: String
        /// Opens the tokenizer in a directory, for an embedding with `rows` rows.
        var open: (_ directory: String, _ rows: Int) throws(Failure) -> any Tokenizer
    }

    /// All kinds, in the order in which they are tried. A new kind needs a line here.
    static var kinds: [Kind] {
        [
            Kind(file: "spiece.model") { directory, rows throws(Failure) in
                try Vocabulary(directory: directory, rows: rows)
            }
        ]
    }

    /// The names of all files that a tokenizer may consist of.
    public static var files: [String] { kinds.map(\.file) + TokenizerFiles.File.allCases.map(\.rawValue) }

    /// Opens the tokenizer in a model's directory; the model's embedding has `rows` rows.
    ///
    /// Throws `inputMissing` when the directory contains no tokenizer, and `badData` when the tokenizer is damaged, contradicts
    /// itself or has a token beyond the embedding.
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
