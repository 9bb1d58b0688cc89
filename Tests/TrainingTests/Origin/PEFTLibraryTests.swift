import Adapters
import Backbone
import Backbones
import Configuration
import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

@testable import Training

/// Adapters that PEFT itself saved, on models that transformers saved: a run that begins with one computes that library's logits.
/// `Goldens/make_peft.py` wrote them.
@Suite struct PEFTLibraryTests {
    private static let goldens = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Goldens").path

    /// Runs of method `unolora` that an adapter fits to, and more: `lora.rank` and `lora.alpha` of the adapter or others.
    private static let runs: [(name: String, rank: Int, alpha: Double)] = [
        ("plain-v1.0", 4, 8), ("plain-v1.0", 7, 3), ("patterns-v1.1", 4, 8), ("patterns-v1.1", 6, 20),
    ]

    init() { BLAS.useOneThread() }

    private static func targets(_ name: String) -> [String: [String]] {
        let all = name == "plain-v1.0" ? ["q", "v"] : ["q", "k", "v", "o"]
        let feedForward = name == "plain-v1.0" ? [] : ["wi_0", "wi_1", "wo"]
        return ["encoderSelf": all, "decoderSelf": all, "decoderCross": all, "feedForward": feedForward]
    }

    private static func batch(_ numbers: SafetensorsFile) throws -> RaggedBatch {
        func lists(_ name: String) throws -> [ArraySlice<Int32>] {
            var rest = try numbers.readInt32(named: name + "s")[...]
            return try numbers.readInt32(named: name + "_lengths").map { length in
                defer { rest = rest.dropFirst(Int(length)) }
                return rest.prefix(Int(length))
            }
        }
        var batch = RaggedBatch()
        for (source, target) in zip(try lists("source"), try lists("target")) {
            batch.append(source: source, target: target, task: 0, slot: 0)
        }
        return batch
    }

    @Test(arguments: runs)
    func `a run that begins with it computes the library's logits`(run: (name: String, rank: Int, alpha: Double)) throws
    {
        let directory = Self.goldens + "/" + run.name
        let numbers = try SafetensorsFile(path: directory + "/case.safetensors")
        let batch = try Self.batch(numbers)
        let expected = try numbers.readFloats(named: "logits")
        for products in ProductBackend.available {
            let model = try Backbones.open(
                directory: directory + "/model", maximumLength: 16, packing: products.packing(products.packs(.fast)))
            var adapter = AdapterConfiguration(method: "unolora", rank: run.rank, alpha: run.alpha, tasks: 1)
            (adapter.taskNames, adapter.targets) = (["one"], Self.targets(run.name))
            let method = try MethodTable.standard.method(adapter, on: model.shape, from: .file(path: "here")).method
            let weights = Arena(count: method.parameters.count)
            method.start(weights, seed: 3, on: model)
            func logits() -> [Float] {
                let engine = method.applied(to: model, weights: weights.readOnly)
                    .engine(method.adaptation(weights: weights.readOnly, gradients: nil), workspace: Workspace())
                return engine.logits(batch).copied()
            }
            let scale = largestMagnitude(expected)
            #expect(largestDifference(logits(), expected) > 0.01 * scale)
            let warm = try WarmStart(
                origin: Origin(directory: directory + "/adapter"), method: method, shape: model.shape,
                adapter: adapter, newTask: .mean)
            #expect(try warm.apply(to: weights, backbone: "any").isEmpty)
            let difference = largestDifference(logits(), expected)
            // Tiles compute in bf16x3, with thirty times the error of a product in float32.
            #expect(
                difference < (products == .tiles ? 2e-4 : 1e-5) * scale, "\(difference) of \(scale) with \(products)")
        }
    }
}
