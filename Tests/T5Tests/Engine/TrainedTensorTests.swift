import Adapters
import Backbone
import BackboneChecks
import Kernels
import Tensors
import TestSupport
import Testing
import ToyMethod

@testable import T5

/// Gradients of the backbone's own tensors, and of what a method does after a sublayer.
@Suite struct TrainedTensorTests {
    /// Which tensors are trained. Each alone decides how far down the backward goes, so for each one a different part could be
    /// forgotten.
    struct Choice: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let isTrained: @Sendable (String) -> Bool

        init(_ description: String, _ isTrained: @escaping @Sendable (String) -> Bool) {
            testDescription = description
            self.isTrained = isTrained
        }

        init(only name: String) { self.init(name) { $0 == name } }

        static let all: [Choice] =
            [
                Choice("every tensor") { _ in true }, Choice("norms") { $0.hasSuffix("layer_norm.weight") },
                Choice("position biases") { $0.contains("relative_attention_bias") },
                Choice("the decoder") { $0.hasPrefix("decoder.") },
                Choice("block 1 of the encoder") { $0.hasPrefix("encoder.block.1.") },
            ]
            + [
                "shared.weight", "encoder.final_layer_norm.weight", "decoder.final_layer_norm.weight",
                "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                "encoder.block.0.layer.0.layer_norm.weight", "encoder.block.1.layer.1.layer_norm.weight",
                "decoder.block.0.layer.0.layer_norm.weight", "decoder.block.0.layer.1.layer_norm.weight",
                "decoder.block.1.layer.2.layer_norm.weight", "encoder.block.0.layer.0.SelfAttention.k.weight",
                "encoder.block.1.layer.0.SelfAttention.o.weight", "encoder.block.1.layer.1.DenseReluDense.wo.weight",
                "decoder.block.1.layer.0.SelfAttention.q.weight", "decoder.block.0.layer.1.EncDecAttention.v.weight",
                "decoder.block.1.layer.1.EncDecAttention.q.weight", "decoder.block.1.layer.1.EncDecAttention.o.weight",
                "decoder.block.1.layer.2.DenseReluDense.wo.weight",
            ].map(Choice.init(only:))
    }

    private static func check(_ adapter: TinyAdapter, dropped: Bool = false) {
        let check = GradientCheck(
            adapter: adapter, batch: TinyT5.batch(),
            dropout: dropped ? DropoutKey(seed: 99, step: 5, rate: 0.15) : nil, labelSmoothing: dropped ? 0.1 : 0)
        let disagreements = check.disagreements()
        #expect(disagreements.isEmpty, "\(disagreements.joined(separator: "\n"))")
    }

    private static func trained(_ family: TinyT5.Family, _ choice: Choice) -> TinyAdapter {
        let tiny = TinyT5(family)
        return TinyAdapter(
            tiny, TrainedTensors(on: tiny.model.configuration, choice.isTrained), deviation: 0.05)
    }

    @Test(arguments: TinyT5.Family.allCases, Choice.all)
    func `the gradient of a tensor of the backbone is its finite difference`(
        family: TinyT5.Family, choice: Choice
    ) {
        Self.check(Self.trained(family, choice))
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `so it is under dropout`(family: TinyT5.Family) {
        Self.check(Self.trained(family, Choice.all[0]), dropped: true)
    }

    @Test func `an output matrix of its own has a gradient of its own`() {
        let adapter = Self.trained(.v11, Choice(only: "lm_head.weight"))
        Self.check(adapter)
        Self.check(adapter, dropped: true)
    }

    @Test(arguments: TinyT5.Family.allCases, [false, true])
    func `what a method does behind a sublayer has the gradient of its finite difference`(
        family: TinyT5.Family, dropped: Bool
    ) throws {
        let tiny = TinyT5(family)
        let made = try MethodTable.withToy.method(
            AdapterConfiguration(method: "toy", rank: 1, alpha: 1, tasks: 4), on: tiny.model.configuration,
            from: .file(path: "toy"))
        #expect(made.method.parameters.entries.count == 5)
        Self.check(TinyAdapter(tiny, made.method), dropped: dropped)
    }

    /// Logits of a separate engine, which lives until they are copied.
    private static func logits(_ adapter: TinyAdapter, _ batch: RaggedBatch) -> [Float] {
        let (engine, gradients) = adapter.engine()
        defer { withExtendedLifetime((engine, gradients, adapter.weights)) {} }
        return engine.logits(batch).copied()
    }

    @Test func `no trained tensor is without a gradient`() {
        for family in TinyT5.Family.allCases {
            let adapter = Self.trained(family, Choice.all[0])
            let (_, gradients) = adapter.gradients(TinyT5.batch())
            for entry in adapter.method.parameters.entries {
                #expect(largestMagnitude(gradients[entry.range]) > 0, "\(family.rawValue) \(entry.name)")
            }
        }
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `a trained tensor starts as the backbone has it, and another start is another model`(family: TinyT5.Family) {
        let tiny = TinyT5(family)
        let same = TinyAdapter(
            tiny, TrainedTensors(on: tiny.model.configuration) { _ in true }, deviation: 0)
        let frozen = T5Engine(model: tiny.model, adaptation: nil)
        let batch = TinyT5.batch()
        let limits = Array(repeating: 5, count: batch.count)
        let expected = frozen.logits(batch).copied()
        #expect(Self.logits(same, batch) == expected)
        let (engine, gradients) = same.engine()
        #expect(
            (try? engine.generate(batch, maxNewTokens: limits))
                == (try? frozen.generate(batch, maxNewTokens: limits)))
        for entry in same.method.parameters.entries {
            let before = Array(same.weights.elements[entry.range])
            for i in entry.range { same.weights.base[i] += 0.1 * Float(1 + i % 3) }
            #expect(Self.logits(same, batch) != expected, "\(entry.name)")
            (same.weights.base + entry.offset).update(from: before, count: entry.count)
        }
        withExtendedLifetime((frozen, engine, gradients)) {}
    }

    @Test func `a matrix that is trained is not packed, the others stay so`() throws {
        let tiny = TinyT5(.v10, packs: true)
        let name = "decoder.block.0.layer.1.EncDecAttention.v"
        let trained = TinyAdapter(
            tiny, TrainedTensors(on: tiny.model.configuration) { $0 == name + ".weight" }, deviation: 0)
        let before = Self.logits(trained, TinyT5.batch())
        for i in 0..<trained.weights.count { trained.weights.base[i] *= 2 }
        #expect(Self.logits(trained, TinyT5.batch()) != before)
    }
}
