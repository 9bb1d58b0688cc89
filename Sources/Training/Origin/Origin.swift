import Adapters
import Checkpoints
package import Failures
import Foundation
import Runs
package import Tensors

/// The trained adapter from which a new run begins (`init.from`): that of a run, of a checkpoint, of an adapter's directory, of an
/// exported file, or of a directory of PEFT.
package struct Origin {
    /// What the adapter is.
    enum Kind {
        /// A method of this program with its tensors by name.
        case native(AdapterConfiguration, [String: OriginTensor])
        /// A LoRA adapter of PEFT.
        case peft([PEFTAdapter.Site])
    }

    /// Where the adapter is, for messages.
    package let path: String
    /// The digest of its weights and its configuration.
    package let digest: ContentDigest
    /// The digest of the backbone on which it was trained; nil where nothing says so.
    let backbone: String?
    let kind: Kind

    /// The digest of the adapter with which a new run would begin from a run directory, without a look at the weights; nil when
    /// there is none.
    package static func digest(ofRun directory: String) -> ContentDigest? {
        let store = CheckpointStore(runDirectory: directory)
        let path = "\(store.directory)/\(link(store).rawValue)"
        guard let weights = try? Checkpoint.listedAdapterDigest(path: path),
            let content = try? BoundedJSON.content(of: path + "/adapter/unolora_config.json")
        else { return nil }
        return digest(weights: weights, configuration: content)
    }

    /// The checkpoint of a run from which another one begins.
    private static func link(_ store: CheckpointStore) -> CheckpointStore.Link {
        store.step(of: .best) == nil ? .last : .best
    }

    /// Opens the adapter in a directory, or in an exported file. Throws `inputMissing` when there is none, and `badData` when it is
    /// damaged or of another kind than this program can begin from.
    package init(directory: String) throws(Failure) {
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: directory + "/" + name) }
        var isDirectory: ObjCBool = false
        if unsafe FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), !isDirectory.boolValue {
            try self.init(exported: directory)
        } else if has(NativeAdapter.fileName) {
            try self.init(exported: directory + "/" + NativeAdapter.fileName)
        } else if has("checkpoints") {
            let store = CheckpointStore(runDirectory: directory)
            try self.init(checkpoint: store.open(.link(Self.link(store))))
        } else if has("MANIFEST.json") {
            try self.init(checkpoint: Checkpoint(path: directory))
        } else if has(PEFTNames.configuration) {
            let adapter = try PEFTAdapter(directory: directory)
            self.init(path: directory, digest: adapter.digest, backbone: nil, kind: .peft(adapter.sites))
        } else if has("unolora_config.json") {
            let name = has("model.safetensors") ? "model.safetensors" : "unolora_model.safetensors"
            let described = directory + "/" + AdapterDescription.fileName
            let description =
                try has(AdapterDescription.fileName)
                ? AdapterDescription(BoundedJSON.content(of: described), path: described) : nil
            try self.init(
                path: directory, adapter: directory, weights: directory + "/" + name,
                digest: ContentDigest.of(file: directory + "/" + name), backbone: description?.base.digest)
        } else {
            throw Failure(
                .inputMissing,
                "init.from: \(directory) is no run, no checkpoint and no adapter: it holds no checkpoints, MANIFEST.json, "
                    + "unolora_config.json, adapter_config.json or \(NativeAdapter.fileName)")
        }
    }

    private init(checkpoint: Checkpoint) throws(Failure) {
        let state = try RunState(checkpoint.state(), path: checkpoint.path)
        guard let digest = checkpoint.adapterDigest else {
            throw Failure(.badData, "\(checkpoint.path) lists no weights; use another checkpoint")
        }
        try self.init(
            path: checkpoint.path, adapter: checkpoint.adapterDirectory, weights: checkpoint.adapterModel,
            digest: digest, backbone: state.identity.backbone)
    }

    private init(
        path: String, adapter: String, weights: String, digest: ContentDigest, backbone: String?
    ) throws(Failure) {
        let content = try BoundedJSON.content(of: adapter + "/unolora_config.json")
        let tensors = try OriginTensor.all(of: SafetensorsFile(path: weights))
        let configuration = try AdapterConfiguration(path: adapter + "/unolora_config.json")
        try Self.checkNames(configuration, adapter + "/unolora_config.json")
        self.init(
            path: path, digest: Self.digest(weights: digest, configuration: content), backbone: backbone,
            kind: .native(configuration, tensors))
    }

    private init(exported path: String) throws(Failure) {
        let adapter = try NativeAdapter(path: path)
        try Self.checkNames(adapter.configuration, path)
        try self.init(
            path: path, digest: adapter.digest, backbone: adapter.backbone,
            kind: .native(adapter.configuration, OriginTensor.all(of: adapter.file)))
    }

    private static func checkNames(_ configuration: AdapterConfiguration, _ path: String) throws(Failure) {
        guard configuration.tasks >= 1, configuration.taskNames.map({ Set($0).count == configuration.tasks }) ?? true,
            configuration.taskNames?.count ?? configuration.tasks == configuration.tasks
        else {
            throw Failure(
                .badData, "\(path): taskNames does not have \(configuration.tasks) different names")
        }
    }

    /// Refuses an adapter of another method than the run's.
    func checkMethod(_ method: String) throws(Failure) {
        guard case .native(let configuration, _) = kind, configuration.method != method else { return }
        throw failure(.method(configuration.method), method: method)
    }

    /// The refusal of an origin that does not fit to the run's adapter.
    func failure(_ misfit: OriginMisfit, method: String) -> Failure {
        let sentence: String
        switch misfit {
        case .method(let name):
            sentence =
                "the adapter in \(path) is of method \(name.shown), and the run's is \(method); a run begins with an "
                + "adapter of its own method"
        case .option(let key):
            sentence = "the adapter in \(path) differs from the run's in \(key); give the run the origin's value"
        case .vocabulary:
            sentence = "\(path) was trained with another vocabulary than the model's; use that model"
        case .answers(let task):
            sentence =
                "task \(task) has other answers in \(path) than here; give it the same labels in the same order, or another name"
        }
        return Failure(.badConfiguration, "init.from: " + sentence)
    }

    /// For each of these tasks its number in the origin; nil for a task that the origin does not have, and for each one if the
    /// origin has no tasks.
    func places(of tasks: [String]) throws(Failure) -> [Int?] {
        guard case .native(let configuration, _) = kind else { return tasks.map { _ in nil } }
        guard let trained = configuration.taskNames else {
            // Without names nothing tells which task is which.
            guard configuration.tasks == tasks.count else {
                throw Failure(
                    .badData,
                    "init.from: the adapter in \(path) does not name its \(configuration.tasks) tasks, and the run has "
                        + "\(tasks.count); add taskNames to its unolora_config.json")
            }
            return Array(0..<tasks.count)
        }
        return tasks.map { trained.firstIndex(of: $0) }
    }

    /// The digest of everything that decides what a run begins with.
    static func digest(weights: ContentDigest, configuration: Data) -> ContentDigest {
        ContentDigest(of: weights.hexadecimal + "\n" + String(decoding: configuration, as: UTF8.self))
    }

    private init(path: String, digest: ContentDigest, backbone: String?, kind: Kind) {
        self.path = path
        self.digest = digest
        self.backbone = backbone
        self.kind = kind
    }
}

/// A tensor of an adapter, in float32.
struct OriginTensor {
    let shape: [Int]
    let values: [Float]

    /// Number of elements of one entry of the first dimension.
    var stride: Int { shape.dropFirst().reduce(1, *) }

    /// All tensors of a file by name.
    static func all(of file: SafetensorsFile) throws(Failure) -> [String: OriginTensor] {
        var tensors: [String: OriginTensor] = [:]
        for tensor in file.tensors {
            tensors[tensor.name] = OriginTensor(shape: tensor.shape, values: try file.readFloats(named: tensor.name))
        }
        return tensors
    }
}
