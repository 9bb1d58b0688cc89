public import Failures
package import Foundation

/// The weights of a Hugging Face model directory: `model.safetensors`, or the shards that
/// `model.safetensors.index.json` lists.
public final class TensorCollection: Sendable {
    /// The directory as given.
    public let directory: String
    /// The files, in the order of their names.
    public let files: [SafetensorsFile]
    private let fileByName: [String: Int]

    static let singleName = "model.safetensors"
    static let indexName = "model.safetensors.index.json"

    /// Maps and checks all files; throws `inputMissing` when there are none, `badData` when they do not fit together. With
    /// `isWatched` they stay open, so that `change` can tell what happened to them.
    public init(directory: String, isWatched: Bool = false) throws(Failure) {
        self.directory = directory
        if Self.exists("\(directory)/\(Self.singleName)") {
            let file = try SafetensorsFile(path: "\(directory)/\(Self.singleName)", isWatched: isWatched)
            files = [file]
            fileByName = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, 0) })
        } else if Self.exists("\(directory)/\(Self.indexName)") {
            let index = try ShardIndex(path: "\(directory)/\(Self.indexName)")
            (files, fileByName) = try Self.open(index, in: directory, isWatched)
        } else {
            throw Self.missingWeights(directory)
        }
    }

    /// The index of the shards as it is, with its file's name; nil for a model in one file.
    package func index() throws(Failure) -> (name: String, content: Data)? {
        guard !Self.exists("\(directory)/\(Self.singleName)") else { return nil }
        let file = try MappedFile(path: "\(directory)/\(Self.indexName)")
        return (Self.indexName, withExtendedLifetime(file) { unsafe Data(file.bytes) })
    }

    /// The names of all tensors, sorted.
    public var names: [String] { fileByName.keys.sorted() }

    /// The file that holds the tensor of that name, and the tensor's description there; nil when no file does.
    public subscript(name: String) -> (file: SafetensorsFile, tensor: TensorDescription)? {
        guard let index = fileByName[name], let tensor = files[index][name] else { return nil }
        return (files[index], tensor)
    }

    /// The first file that has changed since it was mapped, and how it changed; nil while no file has.
    public var change: (path: String, what: String)? {
        for file in files {
            if let what = file.change { return (file.path, what) }
        }
        return nil
    }

    private static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    private static func open(
        _ index: ShardIndex, in directory: String, _ isWatched: Bool
    ) throws(Failure) -> ([SafetensorsFile], [String: Int]) {
        var files: [SafetensorsFile] = []
        var fileByName: [String: Int] = [:]
        for shard in Set(index.shardByName.values).sorted() {
            let path = "\(directory)/\(shard)"
            guard exists(path) else {
                throw Failure(
                    .inputMissing,
                    "\(path.shown) is missing but \(index.path.shown) lists it; download all shards of the model")
            }
            let file = try SafetensorsFile(path: path, isWatched: isWatched)
            for tensor in file.tensors {
                if let other = fileByName.updateValue(files.count, forKey: tensor.name) {
                    throw Failure(
                        .badData,
                        "tensor '\(tensor.name.shown)' stands in both \(files[other].path.shown) and \(path.shown); "
                            + "download the model again")
                }
                guard let stated = index.shardByName[tensor.name] else {
                    throw Failure(
                        .badData,
                        "\(path.shown) holds tensor '\(tensor.name.shown)', which \(index.path.shown) does not list; "
                            + "download the model again, index and shards together")
                }
                guard stated == shard else {
                    throw Failure(
                        .badData,
                        "\(index.path.shown) says that tensor '\(tensor.name.shown)' stands in \(stated.shown) but it "
                            + "stands in \(shard.shown); download the model again, index and shards together")
                }
            }
            files.append(file)
        }
        for (name, shard) in index.shardByName.sorted(by: { $0.key < $1.key }) where fileByName[name] == nil {
            throw Failure(
                .badData,
                "\(index.path.shown) says that tensor '\(name.shown)' stands in \(shard.shown) but it does not; "
                    + "download the model again, index and shards together")
        }
        return (files, fileByName)
    }

    private static func missingWeights(_ directory: String) -> Failure {
        var status = stat()
        guard unsafe stat(directory, &status) == 0 else {
            return Failure(
                .inputMissing,
                "cannot open the model directory \(directory.shown): \(systemMessage(errno)); check the path")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            return Failure(
                .inputMissing,
                "\(directory.shown) is not a directory; give the directory that holds config.json and \(singleName)")
        }
        for other in [
            "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5", "flax_model.msgpack",
        ] where exists("\(directory)/\(other)") {
            return Failure(
                .inputMissing,
                "\(directory.shown) has \(other) but no \(singleName), the only weights that are read; "
                    + conversionRemedy)
        }
        return Failure(
            .inputMissing,
            "\(directory.shown) has neither \(singleName) nor \(indexName); download the model's weights into it")
    }
}
