import Adapters
import Backbone
import Kernels
import T5
import Tensors
import Testing
import ToyMethod

@testable import Training

@Suite struct GradientBucketsTests {
    /// Methods whose gradients are completed at different moments.
    enum Kind: String, CaseIterable, Sendable {
        case unolora
        case unoloraStar
        case loraPerTask
        case hyperFormer
        case full
        case toy
        case everything
        case frozenA

        func method(on shape: any BackboneShape) -> any Method {
            func lowRank(_ method: LowRankOptions.Method, freezesA: Bool = false) -> any Method {
                // rankA and rankB differ, so that there is also a C.
                var options = LowRankOptions(method: method, rankA: 2, rankB: 3, alpha: 4, tasks: TinyTraining.tasks)
                options.freezesA = freezesA
                return LowRankMethod(options, on: shape)
            }
            return switch self {
            case .unolora: lowRank(.unolora)
            case .unoloraStar: lowRank(.unoloraStar)
            case .loraPerTask: lowRank(.loraPerTask)
            case .hyperFormer: HyperFormerMethod(tasks: TinyTraining.tasks, reduction: 5, on: shape)
            case .full: FullMethod(on: shape)
            case .toy: ToyMethod(on: shape)
            case .everything: TrainedTensors(on: shape) { _ in true }
            case .frozenA: lowRank(.unoloraStar, freezesA: true)
            }
        }
    }

    @Test(arguments: Kind.allCases, [1, 40, 500, 1 << 20])
    func `every element is in one bucket, and buckets come in the order of the backward`(kind: Kind, least: Int) {
        let tiny = TinyTraining(blocks: 3) { kind.method(on: $0) }
        let buckets = GradientBuckets(tiny.state.model.method, on: tiny.model.shape, least: least, most: 4 * least)
        let ranges = buckets.all.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
        #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == tiny.state.trained.count)
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        let stages = buckets.all.map(\.stage)
        #expect(stages == stages.sorted())
        if least >= tiny.state.trained.count {
            #expect(ranges.count == 1)
        } else {
            #expect(ranges.allSatisfy { !$0.isEmpty && $0.count <= 4 * least })
            // Not all buckets wait for the end of the backward.
            #expect(Set(stages).count > 1)
        }
    }

    @Test func `an adapter of the usual size is one bucket, and a large one begins with the last block`() throws {
        var shape = try #require(T5Configuration.presets.first { $0.name == "t5-base" }).configuration
        shape.vocabularySize = 100
        func buckets(_ rank: Int) -> [GradientBuckets.Bucket] {
            let options = LowRankOptions(method: .unolora, rankA: rank, alpha: 4, tasks: 1)
            return GradientBuckets(LowRankMethod(options, on: shape), on: shape).all
        }
        #expect(buckets(8).count == 1)
        let large = buckets(96)
        #expect((8...16).contains(large.count), "\(large.count)")
        #expect(large.allSatisfy { $0.range.count <= 2 * GradientBuckets.usualLeast })
        #expect(large.first?.range.upperBound == large.map(\.range.upperBound).max())
    }

    /// A gradient that is summed early must not change afterwards.
    @Test(arguments: Kind.allCases)
    func `gradients of a block are complete when the backward says so`(kind: Kind) throws {
        let tiny = TinyTraining(blocks: 3) { kind.method(on: $0) }
        let method = tiny.state.model.method
        let gradients = Arena(count: tiny.state.weights.count)
        let engine = tiny.state.model.engine(gradients: gradients)
        var batch = RaggedBatch()
        let plan = tiny.plan(microBatches: 1)
        plan.assemble(0, into: &batch, examples: tiny.examples, padTargets: nil, padToken: 0)
        _ = engine.forward(batch, dropout: DropoutKey(seed: 4, step: 7, rate: 0.1), labelSmoothing: 0.1)
        let tensors = Set(tiny.model.shape.tensorShapes().map(\.name))
        let blocks = method.parameters.entries.map { entry in
            tensors.contains(entry.name) ? tiny.model.shape.block(of: entry.name) : method.block(of: entry)
        }
        var finished: [Block] = []
        var then: [Block: [Float]] = [:]
        engine.backward { block in
            finished.append(block)
            then[block] = Array(gradients.elements)
        }
        #expect(finished == tiny.model.shape.backwardOrder.filter { finished.contains($0) })
        let end = Array(gradients.elements)
        var complete = 0
        for (entry, block) in zip(method.parameters.entries, blocks) {
            guard let block, method.trainedRows(of: entry) == nil else { continue }
            let early = try #require(then[block], "\(entry.name) is of a block that is never finished")
            #expect(early[entry.range] == end[entry.range], "\(entry.name)")
            #expect(end[entry.range].contains { $0 != 0 } || kind == .loraPerTask, "\(entry.name)")
            complete += 1
        }
        // Every block has trainables, and gradients still change after the first block is finished.
        #expect(Set(blocks.compactMap(\.self)) == Set(finished))
        // HyperFormer++'s controllers are complete only at the end, its norms with their blocks.
        let least = kind == .hyperFormer ? 3 * 2 + 3 * 3 : method.parameters.entries.count / 3 + 1
        #expect(finished.count == 6 && complete >= least)
        #expect(then[finished[0]] != end)
        withExtendedLifetime((tiny, engine)) {}
    }

    @Test func `what a controller generates belongs to no block`() {
        let tiny = TinyTraining(blocks: 2) { Kind.hyperFormer.method(on: $0) }
        let method = tiny.state.model.method
        let own = method.parameters.entries.filter { tiny.model.tensor(named: $0.name) == nil }
        #expect(own.count == 1 + 2 * 20 && own.allSatisfy { method.block(of: $0) == nil })
    }

    @Test func `a trainable that is complete at the end alone belongs to no block`() throws {
        let tiny = TinyTraining(blocks: 2) { Kind.unoloraStar.method(on: $0) }
        let method = tiny.state.model.method
        for entry in method.parameters.entries {
            #expect((method.block(of: entry) != nil) == entry.name.contains(".lora_"), "\(entry.name)")
        }
        let shape = tiny.model.shape
        #expect(shape.block(of: "shared.weight") == nil && shape.block(of: "decoder.final_layer_norm.weight") == nil)
        #expect(shape.block(of: "decoder.block.1.layer.1.EncDecAttention.v.weight") == Block(.decoder, 1))
        #expect(shape.block(of: "encoder.block.1.layer.1.layer_norm.weight") == Block(.encoder, 1))
    }
}
