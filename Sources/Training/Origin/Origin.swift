import Adapters
import Checkpoints
package import Failures
import Foundation
import Runs
package import Tensors

/// The trained adapter from which a new run begins (`init.from`): that of a run, of a checkpoint, of an adapter's directory, or of
/// a directory of PEFT.
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

    /// Opens the adapter in a directory. Throws `inputMissing` when there is none, and `badData` when it is damaged or of
    /// another kind than this program can begin from.
    package init(directory: String) throws(Failure) {
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: directory + "/" + name) }
        if has("checkpoints") {
            let store = CheckpointStore(runDirectory: directory)
            let name = store.step(of: .best) == nil ? "last" : "best"
            try self.init(checkpoint: store.open(CheckpointStore.Selection(named: name)))
        } else if has("MANIFEST.json") {
            try self.init(checkpoint: Checkpoint(path: directory))
        } else if has("adapter_config.json") {
            let adapter = try PEFTAdapter(directory: directory)
            self.init(path: directory, digest: adapter.digest, backbone: nil, kind: .peft(adapter.sites))
        } else if has("unolora_config.json") {
            let name = has("model.safetensors") ? "model.safetensors" : "unolora_model.safetensors"
            try self.init(
                path: directory, adapter: directory, weights: directory + "/" + name,
                digest: ContentDigest.of(file: directory + "/" + name), backbone: nil)
        } else {
            throw Failure(
                .inputMissing,
                "init.from: \(directory) is no run, no checkpoint and no adapter: it holds no checkpoints, MANIFEST.json, "
                    + "unolora_config.json or adapter_config.json")
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
        let file = try SafetensorsFile(path: weights)
        var tensors: [String: OriginTensor] = [:]
        for tensor in file.tensors {
            tensors[tensor.name] = OriginTensor(
                shape: tensor.shape, values: try file.readFloats(named: tensor.name))
        }
        let configuration = try AdapterConfiguration(path: adapter + "/unolora_config.json")
        guard configuration.tasks >= 1, configuration.taskNames.map({ Set($0).count == configuration.tasks }) ?? true,
            configuration.taskNames?.count ?? configuration.tasks == configuration.tasks
        else {
            throw Failure(
                .badData,
                "\(adapter)/unolora_config.json: taskNames does not have \(configuration.tasks) different names")
        }
        self.init(
            path: path, digest: Self.digest(weights: digest, configuration: content), backbone: backbone,
            kind: .native(configuration, tensors))
    }

    /// Refuses an adapter of another method than the run's.
    func checkMethod(_ method: String) throws(Failure) {
        guard case .native(let configuration, _) = kind, configuration.method != method else { return }
        throw Failure(
            .badConfiguration,
            "init.from: the adapter in \(path) is of method \(configuration.method.shown), and the run's is \(method); a run "
                + "begins with an adapter of its own method")
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
}
