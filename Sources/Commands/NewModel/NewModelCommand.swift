import Backbones
public import Failures
import Foundation
import Tensors
import Text
import Training

/// `new-model`: a random model with a real shape.
public enum NewModelCommand {
    /// Names of the shapes.
    public static var presets: [String] { NewBackbone.presets }

    /// Writes the model and copies the vocabulary; returns a sentence for the user.
    ///
    /// The weights are written last: a directory that has them is complete, and one without them can be written again.
    public static func write(
        preset: String, directory: String, vocabulary: String?, seed: UInt64
    ) throws(Failure) -> String {
        guard var model = NewBackbone(preset: preset) else {
            throw Failure(.usage, "--preset \(preset) is unknown; it can be \(presets.joined(separator: ", "))")
        }
        for name in ["model.safetensors", "model.safetensors.index.json"]
        where FileManager.default.fileExists(atPath: "\(directory)/\(name)") {
            throw Failure(.cannotWrite, "\(directory) already holds a \(name); choose another --out or remove it")
        }
        var pieces = ""
        if let vocabulary {
            let opened = try Vocabulary(modelPath: vocabulary)
            guard opened.pieceCount <= model.vocabularySize else {
                throw Failure(
                    .badData,
                    "\(vocabulary) has \(opened.pieceCount) pieces, but \(preset) has only \(model.vocabularySize) rows"
                )
            }
            pieces = ", \(opened.pieceCount) pieces"
            // A model with a real shape for a small vocabulary gets as many rows as the vocabulary needs.
            if EmbeddingFit(ids: opened.pieceCount, rows: model.vocabularySize) == .belongsToAnother {
                model.vocabularySize = EmbeddingFit.rows(pieces: opened.pieceCount)
                pieces += " in an embedding of \(model.vocabularySize) rows"
            }
            try copy(vocabulary, into: directory)
        }
        try model.write(directory: directory, seed: seed)
        return "\(directory): \(preset), \(model.weightCount) random weights\(pieces)"
    }

    private static func copy(_ source: String, into directory: String) throws(Failure) {
        guard makeDirectories(directory) else {
            throw Failure(
                .cannotWrite, "\(directory) cannot be created (\(systemMessage(errno))); choose another --out")
        }
        let target = directory + "/spiece.model"
        // The vocabulary may be in place already, under another path.
        if let place = Self.file(target), place == Self.file(source) { return }
        guard let content = FileManager.default.contents(atPath: source) else {
            throw Failure(.inputMissing, "--vocabulary \(source) cannot be read; check the path")
        }
        try DurableFile.replace(target) { file throws(Failure) in try file.write([UInt8](content)) }
    }

    /// Identifies a file, following links; nil when there is none.
    private static func file(_ path: String) -> [UInt64]? {
        var status = stat()
        return unsafe stat(path, &status) == 0 ? [UInt64(status.st_dev), UInt64(status.st_ino)] : nil
    }
}
