import Adapters
import Backbone
import Backbones
import Configuration
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Exports
@testable import Training

@Suite struct PEFTDirectoryTests {
    /// An adapter that PEFT itself saved, on q and v of a T5 with one block in each stack.
    private static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../TrainingTests/Origin/Goldens/plain-v1.0").standardizedFileURL.path

    private static func json(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// A method on the golden's model, with random weights.
    private static func method(
        rank: Int = 4, targets: LoraTargets = .queryAndValue
    ) throws -> (method: LowRankMethod, weights: Arena, shape: any BackboneShape) {
        let shape = try Backbones.shape(directory: golden + "/model")
        let method = LowRankMethod(
            LowRankOptions(method: .unolora, rankA: rank, alpha: 8, tasks: 1, targets: targets), on: shape)
        let weights = Arena(count: method.parameters.count)
        for i in 0..<weights.count { weights.elements[i] = Float(i % 13) - 5.5 + Float(i) * 1e-3 }
        return (method, weights, shape)
    }

    @Test func `it has the keys, values, names and shapes that the library wrote`() throws {
        let (method, weights, _) = try Self.method()
        let directory = try TemporaryDirectory()
        try PEFTDirectory.write(
            StaticAdapter(method, weights: weights.readOnly, task: 0), base: "google/t5", into: directory.path)
        let (own, theirs) = (
            try Self.json(directory.file("adapter_config.json")),
            try Self.json(Self.golden + "/adapter/adapter_config.json")
        )
        for (key, value) in own where !["target_modules", "base_model_name_or_path"].contains(key) {
            let expected = try #require(theirs[key], "the library has no key \(key)")
            #expect((value as? NSObject) == (expected as? NSObject), "\(key)")
        }
        // What is left out is off, or acts only in the features that are off.
        let defaults: [String: NSObject] = [
            "megatron_core": "megatron.core" as NSString, "qalora_group_size": 16 as NSNumber,
        ]
        for (key, value) in theirs where own[key] == nil && key != "peft_version" {
            let isOff =
                value is NSNull || (value as? Bool) == false || (value as? [String: Any])?.isEmpty == true
            #expect(isOff || defaults[key] == value as? NSObject, "\(key)")
        }
        #expect(own["base_model_name_or_path"] as? String == "google/t5")
        #expect((own["target_modules"] as? [String]) == method.siteNames)
        let (written, saved) = (
            try SafetensorsFile(path: directory.file("adapter_model.safetensors")),
            try SafetensorsFile(path: Self.golden + "/adapter/adapter_model.safetensors")
        )
        func shapes(_ file: SafetensorsFile) -> [String: [Int]] {
            Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.shape) })
        }
        #expect(shapes(written) == shapes(saved))
        #expect(written.metadata == saved.metadata)
    }

    @Test(arguments: [LoraTargets.queryAndValue, everything])
    func `a run that begins with it has the same bits`(targets: LoraTargets) throws {
        let (method, weights, shape) = try Self.method(targets: targets)
        let directory = try TemporaryDirectory()
        try PEFTDirectory.write(
            StaticAdapter(method, weights: weights.readOnly, task: 0), base: "google/t5", into: directory.path)
        let made = try MethodTable.standard.method(
            AdapterConfiguration(method: "unolora", rank: 4, alpha: 8, tasks: 1), on: shape, from: .file(path: "here"))
        var adapter = made.configuration
        adapter.taskNames = ["one"]
        let read = Arena(count: method.parameters.count)
        method.initialise(read, seed: 2)
        let warm = try WarmStart(
            origin: Origin(directory: directory.path), method: method, shape: shape, adapter: adapter, newTask: .mean)
        #expect(try warm.apply(to: read, backbone: "any").isEmpty)
        #expect(Array(read.elements).map(\.bitPattern) == Array(weights.elements).map(\.bitPattern))
    }

    private static let everything = LoraTargets(
        encoderSelf: ["q", "o"], decoderSelf: ["k"], decoderCross: ["q", "k", "v", "o"], feedForward: ["wi", "wo"])
}
