import Adapters
import Backbone
import Configuration
import Failures
import Kernels
import Runs
import T5
import Tasks
import Tensors
import TestSupport
import Testing

@testable import Training

/// Products in 8 bits and in other formats, compared with float32 on a small model with random weights.
@Suite struct PrecisionTests {
    private static let tasks = 3

    private let directory: TemporaryDirectory

    init() throws {
        BLAS.useOneThread()
        directory = try TemporaryDirectory()
    }

    /// Two blocks in each stack, so wide that rounding errors average out.
    private func model(
        _ packs: FrozenMatrix.Packs?, gated: Bool = false, _ products: ProductBackend = .onednn
    ) throws -> T5Model {
        let path = directory.file(gated ? "gated" : "relu")
        var shape = T5Configuration.presets[gated ? 3 : 0].configuration
        shape.vocabularySize = 96
        shape.modelWidth = 64
        shape.headWidth = 16
        shape.heads = 4
        shape.feedForwardWidth = 128
        shape.encoderBlocks = 2
        shape.decoderBlocks = 2
        try shape.writeNewModel(directory: path, seed: 5)
        let packing = try packs.flatMap { (packs) throws(Failure) in try products.packing(packs) }
        return try T5Model.load(directory: path, maximumLength: 16, packing: packing)
    }

    private func report(
        _ model: T5Model, _ method: LowRankOptions.Method = .unolora, step: Int = 0, threads: Int = 1
    ) throws -> PrecisionReport {
        let options = LowRankOptions(method: method, rankA: 4, alpha: 8, tasks: Self.tasks)
        let state = AdaptedModel(LowRankMethod(options, on: model.configuration), on: model, seed: 2)
        if step > 0 {
            // The weights leave their start, where B is zero; then every tensor has a gradient.
            for i in 0..<state.weights.count { state.weights.base[i] += 0.005 * Float((i * 37 + step) % 17 - 8) }
        }
        let comparison = PrecisionComparison(state, reference: model.unpacked, threads: threads)
        for first in [0, 3] {
            var batch = RaggedBatch()
            for example in first..<first + 3 {
                batch.append(
                    source: (0..<5 + example).map { Int32(2 + ($0 * 31 + example * 7) % 90) } + [1],
                    target: [Int32(3 + example), 1], task: example % Self.tasks, slot: UInt32(example))
            }
            comparison.add(batch, labelSmoothing: 0.1)
        }
        return try comparison.report(
            .init(storage: .float32, products: .int8), products: .openblas, step: step)
    }

    @Test(arguments: [LowRankOptions.Method.unolora, .unoloraStar, .loraPerTask])
    func `float32 against float32 gives exactly no error and cosines of 1`(method: LowRankOptions.Method) throws {
        for (gated, step) in [(false, 0), (true, 0), (false, 1)] {
            let report = try report(model(nil, gated: gated), method, step: step)
            #expect(report.encoderErrors == [0, 0] && report.decoderErrors == [0, 0])
            #expect(report.lossDifference == 0 && report.referenceLoss > 1)
            let gradients = try #require(report.gradients)
            #expect(gradients.cosine == 1 && gradients.smallestCosine == 1 && gradients.relativeError == 0)
            #expect(report.examples == 6 && report.sourceTokens == 6 * 6 + 15 && report.labelTokens == 12)
        }
    }

    @Test func `two threads give the same report as one`() throws {
        let model = try model(ProductBackend.tiles.packs(.bfloat16), .tiles)
        #expect(try report(model, step: 1, threads: 2) == report(model, step: 1))
    }

    @Test func `as an adapter starts only B has a gradient, later all tensors have one`() throws {
        let start = try #require(try report(model(nil)).gradients)
        let later = try #require(try report(model(nil), step: 1).gradients)
        #expect(start.tensors * 2 == later.tensors && start.smallestTensor.hasSuffix("lora_B.weight"))
    }

    @Test func `a frozen model has no gradients to compare`() throws {
        #expect(try report(model(nil), .frozen).gradients == nil)
    }

    @Test(.enabled(if: OneDNN.isInBuild, "this build has no oneDNN"), arguments: [false, true])
    func `packs in float32 differ in the last bits only`(gated: Bool) throws {
        let report = try report(model(FrozenMatrix.Packs(), gated: gated), step: 1)
        #expect((report.encoderErrors + report.decoderErrors).allSatisfy { $0 < 1e-5 })
        #expect(abs(report.lossDifference) < 1e-5 * report.referenceLoss)
        let gradients = try #require(report.gradients)
        #expect(gradients.smallestCosine > 1 - 1e-8 && gradients.relativeError < 1e-4)
    }

    /// An error that is too small would mean that nothing is rounded or that the rounding is not measured.
    @Test(arguments: ProductBackend.available, [false, true])
    func `8 bits are off by about a hundredth, in the direction that they round`(
        products: ProductBackend, gated: Bool
    ) throws {
        func report(_ forward: ProductKind, _ backward: ProductKind) throws -> PrecisionReport {
            // Tiles compute in bf16x3 what the others compute in float32.
            func own(_ kind: ProductKind) -> ProductKind { products == .tiles && kind == .float32 ? .bf16x3 : kind }
            let packs = FrozenMatrix.Packs(forward: own(forward), backward: own(backward))
            return try self.report(model(packs, gated: gated, products), step: 1)
        }
        let both = try report(.int8, .int8)
        #expect((both.encoderErrors + both.decoderErrors).allSatisfy { $0 > 1e-3 && $0 < 0.05 }, "\(both)")
        #expect(both.lossDifference != 0 && abs(both.lossDifference) < 0.05 * both.referenceLoss, "\(both)")
        let gradients = try #require(both.gradients)
        #expect(gradients.cosine > 0.98 && gradients.cosine < 0.999999, "\(gradients)")
        #expect(gradients.smallestCosine > 0.9 && gradients.smallestCosine <= gradients.cosine, "\(gradients)")
        #expect(gradients.relativeError > 1e-3 && gradients.relativeError < 0.2, "\(gradients)")

        let forward = try report(.int8, .float32)
        #expect(forward.encoderErrors == both.encoderErrors && forward.decoderErrors == both.decoderErrors)
        #expect(forward.lossDifference == both.lossDifference)
        let backward = try report(.float32, .int8)
        #expect((backward.encoderErrors + backward.decoderErrors).allSatisfy { $0 < 5e-5 }, "\(backward)")
        for one in [try #require(forward.gradients), try #require(backward.gradients)] {
            #expect(one.relativeError > 1e-3 && one.relativeError != gradients.relativeError, "\(one)")
        }
    }

    /// The backends that compute products in bfloat16 here.
    private static let halves = [ProductBackend.tiles] + (OneDNN.hasBFloat16 ? [.onednn] : [])

    @Test(arguments: halves, [false, true])
    func `products in bfloat16 are off by some thousandths`(products: ProductBackend, gated: Bool) throws {
        let report = try report(model(products.packs(.bfloat16), gated: gated, products), step: 1)
        #expect((report.encoderErrors + report.decoderErrors).allSatisfy { $0 > 1e-4 && $0 < 0.01 }, "\(report)")
        #expect(report.lossDifference != 0 && abs(report.lossDifference) < 0.005 * report.referenceLoss, "\(report)")
        let gradients = try #require(report.gradients)
        #expect(gradients.smallestCosine > 0.99 && gradients.relativeError > 1e-4, "\(gradients)")
        #expect(gradients.relativeError < 0.05, "\(gradients)")
    }

    @Test(arguments: [false, true]) func `products in bf16x3 are nearly those in float32`(gated: Bool) throws {
        let report = try report(model(ProductBackend.tiles.packs(.bf16x3), gated: gated, .tiles), step: 1)
        #expect((report.encoderErrors + report.decoderErrors).allSatisfy { $0 > 1e-7 && $0 < 5e-5 }, "\(report)")
        #expect(abs(report.lossDifference) < 1e-5 * report.referenceLoss, "\(report)")
        let gradients = try #require(report.gradients)
        #expect(gradients.smallestCosine > 1 - 1e-7 && gradients.relativeError < 5e-4, "\(gradients)")
    }

    @Test func `numbers that are not finite are refused`() throws {
        let model = try model(nil).unpacked
        let options = LowRankOptions(method: .unolora, rankA: 4, alpha: 8, tasks: Self.tasks)
        let state = AdaptedModel(LowRankMethod(options, on: model.shape), on: model, seed: 2)
        for i in 0..<state.weights.count { state.weights.base[i] = 1e30 }
        let comparison = PrecisionComparison(state, reference: model.unpacked)
        var batch = RaggedBatch()
        batch.append(source: [3, 4, 1], target: [5, 1], task: 0, slot: 0)
        comparison.add(batch, labelSmoothing: 0)
        let failure = #expect(throws: Failure.self) {
            try comparison.report(.init(storage: .float32, products: .int8), products: .openblas, step: 0)
        }
        #expect(failure?.code == .notFinite && failure?.message.contains("with int8 products") == true)
    }

    @Test(arguments: [(8, [100, 3, 50]), (8, [1]), (2, [5, 5, 5]), (9, [2, 1000, 1]), (64, [7, 400, 9])])
    func `examples come from the tasks in turn, at equal distances`(count: Int, available: [Int]) {
        let slots = RunSession.spread(count, over: available)
        #expect(slots.map(\.index) == Array(0..<count))
        #expect(slots.map(\.task) == (0..<count).map { $0 % available.count })
        for (task, size) in available.enumerated() {
            let examples = slots.filter { $0.task == task }.map(\.example)
            #expect(examples.allSatisfy { (0..<size).contains($0) } && examples == examples.sorted())
            #expect(Set(examples).count == min(size, examples.count), "\(task) \(examples)")
        }
    }
}
