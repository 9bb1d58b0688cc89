import Adapters
import Backbone
import T5
import Tensors
import Testing

@testable import Training

@Suite struct WeightKindTests {
    private static let shape: T5Configuration = {
        var shape = T5Configuration.presets[0].configuration
        (shape.vocabularySize, shape.modelWidth, shape.headWidth, shape.heads) = (64, 12, 4, 2)
        (shape.feedForwardWidth, shape.encoderBlocks, shape.decoderBlocks) = (16, 2, 1)
        return shape
    }()

    private static func kinds(_ method: any Method, on shape: T5Configuration = Self.shape) -> [WeightKind] {
        WeightKind.all(of: method, on: shape, tasks: ["b", "a"])
    }

    private static func lowRank(_ change: (inout LowRankOptions) -> Void) -> LowRankMethod {
        var options = LowRankOptions(method: .unolora, rankA: 3, tasks: 2)
        change(&options)
        return LowRankMethod(options, on: shape)
    }

    private static let lora = lowRank { $0.rankB = 2 }

    /// Every trained weight belongs to one kind.
    @Test(
        arguments: [
            lora, lowRank { $0.method = .unoloraStar }, lowRank { $0.method = .loraPerTask },
            HyperFormerMethod(tasks: 2, reduction: 4, on: shape), FullMethod(on: shape),
        ] as [any Method])
    func `each weight is in one kind`(method: any Method) {
        let places = Self.kinds(method).flatMap(\.places).sorted { $0.lowerBound < $1.lowerBound }
        #expect(places.map(\.lowerBound) == [0] + places.dropLast().map(\.upperBound))
        #expect(places.last?.upperBound == method.parameters.count)
        #expect(Set(Self.kinds(method).map(\.tag)).count == Self.kinds(method).count)
    }

    @Test func `blocks are drawn together, and what is frozen is not drawn`() {
        let kinds = Self.kinds(Self.lora)
        #expect(
            kinds.prefix(6).map(\.tag) == [
                "A/encoderSelf.q", "A/encoderSelf.v", "B/encoderSelf.q", "C/encoderSelf.q", "B/encoderSelf.v",
                "C/encoderSelf.v",
            ])
        #expect(kinds.count == 18 && kinds[0].places.map(\.count) == [36, 36])
        let frozen = Self.kinds(Self.lowRank { $0.freezesA = true }).map(\.tag)
        #expect(frozen.count == 6 && frozen.allSatisfy { $0.hasPrefix("B/") })
    }

    @Test func `weights of a task have its name`() {
        let kinds = Self.kinds(Self.lowRank { $0.method = .loraPerTask })
        #expect(kinds.count == 24)
        let own = kinds.filter { $0.tag == "A/encoderSelf.q/a" }
        let entry = Self.lowRank { $0.method = .loraPerTask }.parameters.entries[0]
        #expect(own.count == 1 && own[0].places[0] == entry.offset + 36..<entry.offset + 72)
    }

    @Test func `the whole model has kinds of matrices and norms`() {
        #expect(
            Set(Self.kinds(FullMethod(on: Self.shape)).map(\.tag)).isSuperset(of: [
                "W/encoderSelf.o", "W/decoderCross.k", "W/encoderFeedForward.wi", "W/decoderFeedForward.wo", "W/shared",
                "norm/encoder", "norm/decoder", "W/encoder.SelfAttention.relative_attention_bias",
            ]))
    }

    @Test func `of millions of weights some are counted, in all columns alike`() throws {
        var shape = Self.shape
        (shape.vocabularySize, shape.modelWidth) = (70_000, 60)
        let kind = try #require(Self.kinds(FullMethod(on: shape), on: shape).first { $0.tag == "W/shared" })
        // 4.2 million numbers: every fifth would be from 12 columns of 60 only, every sixth from 10.
        #expect(kind.stride == 7)
        #expect(Set(stride(from: 0, to: 6_000, by: kind.stride).map { $0 % 60 }).count == 60)
        #expect(Self.kinds(Self.lora).allSatisfy { $0.stride == 1 })
    }
}
