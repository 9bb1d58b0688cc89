import Backbone
import Configuration
package import Failures
package import Foundation
import MPI
import Tensors
import Text

/// The small files of a model in Hugging Face's layout.
package enum ModelFiles {
    private static let configuration = "config.json"
    /// Files that are copied where they exist, in addition to the tokenizer's.
    private static let copied = ["generation_config.json"]
    /// Keys that say in which format weights are kept: `torch_dtype` until transformers 4, `dtype` since 5.
    private static let formats = ["torch_dtype", "dtype"]

    /// The files beside weights that were trained from the model in `directory` and are saved in float32: its configuration, in
    /// which only the weights' format is changed, and its tokenizer.
    static func beside(weightsFrom directory: String) throws(Failure) -> [String: Data] {
        var files = try unchanged(besideWeightsOf: directory)
        files[configuration] = try inFloat32(BoundedJSON.content(of: directory + "/" + configuration), directory)
        return files
    }

    /// The same for weights that keep the formats of the model's: all of these files as they are.
    package static func unchanged(besideWeightsOf directory: String) throws(Failure) -> [String: Data] {
        var files = [configuration: try BoundedJSON.content(of: directory + "/" + configuration)]
        for name in copied + Tokenizers.files {
            let path = directory + "/" + name
            guard FileManager.default.fileExists(atPath: path) else { continue }
            guard let data = FileManager.default.contents(atPath: path) else {
                throw Failure(.inputMissing, "\(path) cannot be read; check its permissions")
            }
            files[name] = data
        }
        return files
    }

    /// `config.json` for weights in float32.
    private static func inFloat32(_ data: Data, _ directory: String) throws(Failure) -> Data {
        guard var values = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] else {
            throw Failure(.badData, "\(directory)/\(configuration) is not a JSON object")
        }
        for key in formats where values[key] != nil { values[key] = "float32" }
        do {
            return try JSONSerialization.data(withJSONObject: values, options: [.prettyPrinted, .sortedKeys])
        } catch {
            throw Failure(.internal, "\(directory)/\(configuration) cannot be written again (\(error)); report this")
        }
    }
}

extension RunModel {
    /// The files that make a checkpoint's weights a model of Hugging Face; nil unless the method trains the whole model.
    /// Collective.
    package func modelFiles() throws(Failure) -> [String: Data]? {
        guard method.isWholeModel(of: model.shape) else { return nil }
        let directory = configuration.model
        return try world.rankZeroFirst { () throws(Failure) in try ModelFiles.beside(weightsFrom: directory) }
    }
}
