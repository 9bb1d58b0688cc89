import Failures
import Foundation
import T5
import Text

/// `new-model`: a random model with a real shape.
public enum NewModel {
    /// Names of the shapes.
    public static var presets: [String] { T5Configuration.presets.map(\.name) }

    /// Writes the model and copies the vocabulary; returns a sentence for the user.
    public static func write(
        preset: String, directory: String, vocabulary: String?, seed: UInt64
    ) throws(Failure) -> String {
        guard let shape = T5Configuration.presets.first(where: { $0.name == preset })?.configuration else {
            throw Failure(.usage, "--preset \(preset) is unknown; it can be \(presets.joined(separator: ", "))")
        }
        guard !FileManager.default.fileExists(atPath: directory + "/model.safetensors") else {
            throw Failure(
                .cannotWrite, "\(directory) already holds a model.safetensors; choose another --out or remove it")
        }
        var pieces = ""
        if let vocabulary {
            let opened = try Vocabulary(modelPath: vocabulary)
            guard opened.pieceCount <= shape.vocabularySize else {
                throw Failure(
                    .badData,
                    "\(vocabulary) has \(opened.pieceCount) pieces, but \(preset) has only \(shape.vocabularySize) rows"
                )
            }
            pieces = ", \(opened.pieceCount) pieces"
        }
        try shape.writeNewModel(directory: directory, seed: seed)
        if let vocabulary {
            try copy(vocabulary, to: directory + "/spiece.model")
        }
        return "\(directory): \(preset), \(shape.weightCount) random weights\(pieces)"
    }

    private static func copy(_ source: String, to target: String) throws(Failure) {
        do {
            if FileManager.default.fileExists(atPath: target) { try FileManager.default.removeItem(atPath: target) }
            try FileManager.default.copyItem(atPath: source, toPath: target)
        } catch {
            throw Failure(.cannotWrite, "\(target) cannot be written (\(RunDirectory.reason(error)))")
        }
    }
}
