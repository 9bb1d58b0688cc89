import Adapters
import Backbone
import Configuration
package import Failures
import Foundation
package import MPI
import Runs
import Tasks
import Tensors
import Text

/// An adapter without its run: the directory of a checkpoint's adapter, an exported native file, or the directory with it.
struct AloneAdapter {
    let path: String
    let configuration: AdapterConfiguration
    let description: AdapterDescription
    let weights: SafetensorsFile
    let digest: ContentDigest
    let step: Int

    /// Opens an adapter. Throws `inputMissing` where there is none, and `badData` for one that does not say what its tasks are.
    init(_ path: String) throws(Failure) {
        self.path = path
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path + "/" + name) }
        var isDirectory: ObjCBool = false
        let isThere = unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        let described: AdapterDescription?
        if isThere, !isDirectory.boolValue || has(NativeAdapter.fileName) {
            let native = try NativeAdapter(path: isDirectory.boolValue ? path + "/" + NativeAdapter.fileName : path)
            (configuration, weights, digest, step) = (native.configuration, native.file, native.digest, native.step)
            described = native.description
        } else if has("unolora_config.json") {
            let name = has("model.safetensors") ? "model.safetensors" : "unolora_model.safetensors"
            configuration = try AdapterConfiguration(path: path + "/unolora_config.json")
            weights = try SafetensorsFile(path: path + "/" + name)
            (digest, step) = (try ContentDigest.of(file: path + "/" + name), 0)
            let file = path + "/" + AdapterDescription.fileName
            described =
                try has(AdapterDescription.fileName)
                ? AdapterDescription(BoundedJSON.content(of: file), path: file) : nil
        } else {
            throw Failure(
                .inputMissing,
                "\(path) is no run and no adapter: it holds no config.yaml, no unolora_config.json and no "
                    + "\(NativeAdapter.fileName); give the --out of a train command, or the directory of an adapter")
        }
        guard let described else {
            throw Failure(
                .badData,
                "\(path) was written by an earlier version and does not say what its tasks are; export it again from its run, with "
                    + "export --format native")
        }
        description = described
    }
}

extension OpenedRun {
    /// Whether a directory is that of a run.
    package static func isRun(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: RunDirectory(path).configuration)
    }

    /// Opens an adapter without its run, for answers; collective. The model must be that of its training.
    package init(adapter path: String, model place: String?, world: Communicator) throws(Failure) {
        let alone = try world.rankZeroFirst { () throws(Failure) in try AloneAdapter(path) }
        let base = alone.description.base
        let configuration = try world.rankZeroFirst { () throws(Failure) in
            guard let place else {
                throw Failure(
                    .usage,
                    "\(path) is an adapter without its run, so the place of its base \(base.name.shown) is not known; give it with "
                        + "--model")
            }
            return try RunConfiguration.answering(alone.description.configuration, from: path, model: place)
        }
        let tasks = try world.rankZeroFirst { () throws(Failure) in
            try alone.description.tasks.map { task throws(Failure) in try task.definition() }
        }
        let opened = try RunModel(configuration, training: false, tasks: tasks, freedom: .nothing, world: world)
        opened.sayProducts()
        try world.rankZeroFirst { () throws(Failure) in try alone.check(opened) }
        let model = AdaptedModel(opened.method, on: opened.model, seed: configuration.seed)
        if world.rank == 0 { try alone.weights.load(opened.method.parameters, into: [("", model.weights)]) }
        try unsafe world.broadcast(UnsafeMutableRawBufferPointer(model.weights.elements), from: 0)
        let checkpoint = LoadedCheckpoint(
            path: path, isOwn: false, identity: opened.identity(data: "", sources: nil), adapter: alone.digest,
            step: alone.step, seed: configuration.seed)
        self.init(
            RunDirectory(path), opened, model, world.rank == 0 ? checkpoint : nil,
            threads: try ThreadChoice(requested: configuration.threads, world: world, microBatches: nil).threads,
            settings: EvaluationSettings(configuration))
    }
}

extension AloneAdapter {
    /// Refuses a model that is not the adapter's base, and an adapter that means something else than its description says.
    func check(_ model: RunModel) throws(Failure) {
        let base = description.base
        guard base.digest == model.backbone else {
            throw Failure(
                .badConfiguration,
                "\(path) was trained on \(base.name.shown) with the digest \(base.digest), and \(model.configuration.model) has "
                    + "\(model.backbone); give the right model with --model")
        }
        let present = model.vocabulary.digest.hexadecimal
        guard configuration.vocabulary ?? present == present else {
            throw Failure(
                .badConfiguration,
                "\(path) was trained with another vocabulary than \(model.vocabulary.path), with its added tokens, now is; give "
                    + "the model with the vocabulary of the training")
        }
        if let key = try configuration.firstDifference(from: model.adapter) {
            throw Failure(
                .badData,
                "\(path): its configuration differs in \(key) from its description of the tasks; export it again")
        }
    }
}
