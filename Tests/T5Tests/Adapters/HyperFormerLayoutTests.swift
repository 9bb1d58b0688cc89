import Adapters
import Backbone
import Kernels
import Tensors
import TestSupport
import Testing

@testable import T5

/// What HyperFormer++ and full fine-tuning train, and how it starts.
@Suite struct HyperFormerLayoutTests {
    private func preset(_ name: String) throws -> T5Configuration {
        try #require(T5Configuration.presets.first { $0.name == name }).configuration
    }

    @Test(arguments: [("t5-small", 2_415_776, 60_506_624), ("t5-base", 5_211_056, 222_903_552)])
    func `t5-small and t5-base have the published numbers of trainables`(
        name: String, hyperFormer: Int, full: Int
    ) throws {
        let shape = try preset(name)
        #expect(HyperFormerMethod(tasks: 8, reduction: 32, on: shape).parameters.count == hyperFormer)
        #expect(FullMethod(on: shape).parameters.count == full && shape.weightCount == full)
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `full fine-tuning trains the tensors of the backbone in their order`(family: TinyT5.Family) {
        let shape = TinyT5.configuration(family)
        let entries = FullMethod(on: shape).parameters.entries
        #expect(entries.map(\.name) == shape.tensorShapes().map(\.name))
        #expect(entries.map(\.shape) == shape.tensorShapes().map(\.shape))
    }

    @Test func `HyperFormer++ trains all norms, the tasks' embedding and a controller for each stack`() {
        let method = HyperFormerMethod(
            tasks: 3, reduction: 5, on: TinyT5.configuration(.v11, encoderBlocks: 2, decoderBlocks: 1))
        func controller(_ stack: String, blocks: Int) -> [String: [Int]] {
            let shapes: [String: [Int]] = [
                "layer_embedding.weight": [blocks, 64], "block_embedding.weight": [2, 64],
                "proj.0.weight": [128, 192], "proj.0.bias": [128], "proj.1.weight": [64, 128], "proj.1.bias": [64],
                "norm.weight": [64], "norm.bias": [64], "up_weight.weight": [24, 64], "up_weight.bias": [24],
                "up_bias.weight": [12, 64], "up_bias.bias": [12], "down_weight.weight": [24, 64],
                "down_weight.bias": [24], "down_bias.weight": [2, 64], "down_bias.bias": [2],
                "norm_weight.weight": [12, 64], "norm_weight.bias": [12], "norm_bias.weight": [12, 64],
                "norm_bias.bias": [12],
            ]
            return Dictionary(uniqueKeysWithValues: shapes.map { ("hypernet.\(stack).\($0)", $1) })
        }
        let norms = [
            "encoder.block.0.layer.0.layer_norm.weight", "encoder.block.0.layer.1.layer_norm.weight",
            "encoder.block.1.layer.0.layer_norm.weight", "encoder.block.1.layer.1.layer_norm.weight",
            "encoder.final_layer_norm.weight", "decoder.block.0.layer.0.layer_norm.weight",
            "decoder.block.0.layer.1.layer_norm.weight", "decoder.block.0.layer.2.layer_norm.weight",
            "decoder.final_layer_norm.weight",
        ]
        var expected = controller("encoder", blocks: 2).merging(controller("decoder", blocks: 1)) { first, _ in first }
        expected["hypernet.task_embedding.weight"] = [3, 64]
        for norm in norms { expected[norm] = [12] }
        let entries = method.parameters.entries
        #expect(Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.shape) }) == expected)
        // An adapter after each self-attention and each feed-forward.
        #expect(method.siteCount == 2 * 2 + 2 * 1)
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `HyperFormer++ starts as the method says, and its norms as the backbone has them`(
        family: TinyT5.Family
    ) throws {
        let tiny = TinyT5(family)
        let method = HyperFormerMethod(tasks: 40, reduction: 2, on: tiny.model.configuration)
        let weights = Arena(count: method.parameters.count)
        for i in 0..<weights.count { weights.base[i] = .nan }
        method.start(weights, seed: 3, on: tiny.model)
        for entry in method.parameters.entries {
            let values = entry.range.map { Double(weights.base[$0]) }
            let mean = values.reduce(0, +) / Double(values.count)
            let square = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            let name = entry.name
            if !name.hasPrefix("hypernet.") {
                let norm = try #require(tiny.model.tensor(named: name))
                let own = Arena(count: entry.count)
                norm.copy(into: own.base)
                #expect(values == own.elements.map(Double.init), "\(name)")
                #expect(square > 0, "norms that are all 1 would prove little")
            } else if name.hasSuffix(".norm.weight") {
                #expect(values.allSatisfy { $0 == 1 }, "\(name)")
            } else if name.hasSuffix("bias") {
                #expect(values.allSatisfy { $0 == 0 }, "\(name)")
            } else {
                let expected = name.hasSuffix("embedding.weight") ? 1 : 0.01
                // 128 draws at least: both are within four standard errors.
                let error = 4 / Double(values.count).squareRoot()
                #expect(abs(square.squareRoot() / expected - 1) <= error, "\(name): \(square.squareRoot())")
                #expect(abs(mean) <= expected * error, "\(name): \(mean)")
            }
        }
    }

    @Test func `the start is a function of the seed, and each tensor has numbers of its own`() {
        let tiny = TinyT5(.v10)
        let method = HyperFormerMethod(tasks: 2, reduction: 2, on: tiny.model.configuration)
        func start(_ seed: UInt64) -> Arena {
            let weights = Arena(count: method.parameters.count)
            method.start(weights, seed: seed, on: tiny.model)
            return weights
        }
        let (first, again, other) = (start(3), start(3), start(4))
        #expect(Array(first.elements) == Array(again.elements))
        let random = method.parameters.entries.filter {
            $0.name.hasPrefix("hypernet.") && $0.name.hasSuffix(".weight") && !$0.name.hasSuffix(".norm.weight")
        }
        for entry in random {
            #expect(first.elements[entry.range].first != other.elements[entry.range].first, "\(entry.name)")
        }
        #expect(Set(random.map { first.base[$0.offset] }).count == random.count)
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `full fine-tuning starts as the backbone, whatever the seed`(family: TinyT5.Family) throws {
        let tiny = TinyT5(family)
        let same = TinyAdapter(tiny, FullMethod(on: tiny.model.configuration), seed: 5, deviation: 0)
        let batch = TinyT5.batch()
        let (adapted, frozen) = (same.engine(), T5Engine(model: tiny.model, adaptation: nil))
        #expect(adapted.engine.logits(batch).copied() == frozen.logits(batch).copied())
        let limits = [6, 6, 6, 6]
        #expect(
            try adapted.engine.generate(batch, maxNewTokens: limits) == frozen.generate(batch, maxNewTokens: limits))
        let other = TinyAdapter(tiny, FullMethod(on: tiny.model.configuration), seed: 6, deviation: 0)
        #expect(Array(same.weights.elements) == Array(other.weights.elements))
    }
}
