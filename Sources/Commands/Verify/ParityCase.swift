import Adapters
import Backbone
import Backbones
import Configuration
import Failures
import Foundation
import Kernels
import Tensors
import Training

/// One case directory: a model, an adapter, inputs, and the numbers that another implementation computed from them.
struct ParityCase {
    /// Settings of a case in addition to the adapter's; all may be absent.
    struct Settings: Codable {
        var labelSmoothing: Float?
        var lossReduction: String?
        var padTargets: Int?
        var dropout: Double?
        var loraDropout: Double?
        var seed: UInt64?
        var step: UInt32?
        /// Whether the case has no gradients and no steps; otherwise it must have those of every trainable.
        var forwardOnly: Bool?
    }

    let path: String
    let model: any Backbone
    let method: any Method
    let weights: Arena
    let settings: Settings
    let numbers: SafetensorsFile
    let batch: RaggedBatch
    /// Rows of `labels` and `logits` for each example, including padding.
    let paddedTargets: Int
    let paddedSources: Int

    init(path: String, backend: ProductBackend, products: ModelProducts) throws(Failure) {
        self.path = path
        guard FileManager.default.fileExists(atPath: path + "/case.safetensors") else {
            throw Failure(.inputMissing, "\(path) is no parity case: it holds no case.safetensors")
        }
        numbers = try SafetensorsFile(path: path + "/case.safetensors")
        let configurationPath = path + "/adapter/unolora_config.json"
        var adapter = try AdapterConfiguration(path: configurationPath)
        settings = try Self.readSettings(configurationPath)
        // A case must say that there is dropout; otherwise there is none.
        adapter.loraDropout = settings.loraDropout ?? 0
        // The adapter's configuration is checked first, because everything below assumes that it is possible.
        method = try MethodTable.standard.method(
            adapter, on: Backbones.shape(directory: path + "/model"), from: .file(path: configurationPath)
        ).method
        let sourceShape = try numbers.tensor(named: "input_ids").shape
        let labelShape = try numbers.tensor(named: "labels").shape
        let generatedShape = try numbers.tensor(named: "generated").shape
        let lengths = try numbers.readInt32(named: "input_lengths")
        guard sourceShape.count == 2, labelShape.count == 2, generatedShape.count == 2,
            [labelShape[0], generatedShape[0], lengths.count] == Array(repeating: sourceShape[0], count: 3),
            sourceShape[0] > 0
        else {
            throw Failure(
                .badData, "\(path): input_ids, input_lengths, labels and generated disagree about the examples")
        }
        paddedSources = sourceShape[1]
        paddedTargets = max(labelShape[1], settings.padTargets ?? 0)
        model = try Backbones.open(
            directory: path + "/model", maximumLength: max(paddedSources, paddedTargets, generatedShape[1]),
            packing: backend.packing(backend.packs(products)))
        batch = try Self.readBatch(
            numbers, lengths, width: (sourceShape[1], labelShape[1]), padTargets: settings.padTargets,
            shape: model.shape, tasks: adapter.tasks, path: path)
        let file = try Self.adapter(path, method.parameters, on: model)
        weights = Arena(count: method.parameters.count)
        if let file {
            try file.load(method.parameters, into: [("", weights)])
        } else {
            method.start(weights, seed: 0, on: model)
        }
    }

    /// Opens the adapter's file and compares its shapes with the layout; the configuration may describe more than fits in
    /// memory. Nil for a method without trainables of its own, whose cases need no file: the model has all numbers.
    private static func adapter(
        _ path: String, _ layout: ParameterLayout, on model: any Backbone
    ) throws(Failure) -> SafetensorsFile? {
        guard layout.entries.contains(where: { model.tensor(named: $0.name) == nil }) else { return nil }
        let file = try SafetensorsFile(path: path + "/adapter/unolora_model.safetensors")
        try file.check(layout)
        return file
    }

    /// The batch with every target padded to `paddedTargets`.
    var batchWithPaddedTargets: RaggedBatch {
        batch.paddingTargets(to: paddedTargets, with: model.shape.padToken)
    }

    private static func readSettings(_ path: String) throws(Failure) -> Settings {
        guard let settings = try? BoundedJSON.decode(Settings.self, from: BoundedJSON.content(of: path)) else {
            throw Failure(.badData, "\(path): a setting of the case has a value of the wrong type")
        }
        for (key, rate) in [("dropout", settings.dropout ?? 0), ("loraDropout", settings.loraDropout ?? 0)]
        where !(0..<1).contains(rate) {
            throw Failure(.badData, "\(path): \(key) is \(rate), but must be at least 0 and below 1")
        }
        guard (0...65536).contains(settings.padTargets ?? 0) else {
            throw Failure(.badData, "\(path): padTargets must be from 0 to 65536")
        }
        return settings
    }

    private static func readBatch(
        _ numbers: SafetensorsFile, _ lengths: [Int32], width: (sources: Int, targets: Int), padTargets: Int?,
        shape: any BackboneShape, tasks count: Int, path: String
    ) throws(Failure) -> RaggedBatch {
        let ids = try numbers.readInt32(named: "input_ids")
        let labels = try numbers.readInt32(named: "labels")
        let tasks = try numbers.readInt32(named: "task_ids")
        guard tasks.count == lengths.count else { throw Failure(.badData, "\(path): task_ids has the wrong length") }
        var batch = RaggedBatch()
        for i in lengths.indices {
            let length = Int(lengths[i])
            guard length >= 1, length <= width.sources, (0..<count).contains(Int(tasks[i])) else {
                throw Failure(.badData, "\(path): example \(i) has a length or task that cannot be")
            }
            let source = ids[i * width.sources..<i * width.sources + length]
            let target = labels[i * width.targets..<(i + 1) * width.targets].filter { $0 != -100 }
            for token in source + target where token < 0 || Int(token) >= shape.vocabularySize {
                throw Failure(.badData, "\(path): token \(token) of example \(i) is outside the vocabulary")
            }
            batch.append(source: source, target: target, task: Int(tasks[i]), slot: UInt32(i))
        }
        guard let padTargets else { return batch }
        return batch.paddingTargets(to: padTargets, with: shape.padToken)
    }
}
