import Adapters
import Backbone
import Tensors
import TestSupport
import Testing

@testable import T5

@Suite struct DeterminismTests {
    private struct Bits: Equatable, Sendable {
        let loss: [UInt64]
        let gradients: [UInt32]
        let answers: [[Int32]]
    }

    private static let batches = [
        TinyT5.batch(), TinyT5.batch([(31, 7, 3), (2, 2, 0)], slot: 40, seed: 8), TinyT5.batch([(1, 1, 2)], seed: 9),
    ]

    private static func adapter(_ method: TinyMethod) -> TinyAdapter {
        TinyAdapter(TinyT5(.v11), method, LowRankOptions(method: .unolora, rankA: 3, rankB: 2, alpha: 4, tasks: 4))
    }

    /// Everything that an engine computes for each batch in turn.
    private static func compute(_ adapter: TinyAdapter, _ order: [Int]) throws -> [Bits] {
        let (engine, gradients) = adapter.engine()
        return try order.map { number in
            gradients.clear()
            let batch = batches[number]
            let loss = engine.forward(batch, dropout: DropoutKey(seed: 3, step: 4, rate: 0.1))
            engine.backward()
            return Bits(
                loss: loss.perExample.map(\.bitPattern), gradients: gradients.elements.map(\.bitPattern),
                answers: try engine.generate(batch, maxNewTokens: batch.targetLengths.map { $0 + 3 }))
        }
    }

    @Test(arguments: TinyMethod.allCases)
    func `an engine gives the same bits again, whatever it computed between`(method: TinyMethod) throws {
        let results = try Self.compute(Self.adapter(method), [0, 1, 0, 2, 1, 0])
        #expect(results[0] == results[2] && results[0] == results[5] && results[1] == results[4])
        #expect(results[0] != results[1] && results[1] != results[3])
    }

    @Test(arguments: TinyMethod.allCases)
    func `engines in several threads give the same bits`(method: TinyMethod) async throws {
        let adapter = Self.adapter(method)
        let expected = try Self.compute(adapter, [0, 1, 2])
        try await withThrowingTaskGroup(of: [Bits].self) { group in
            for _ in 0..<4 {
                group.addTask { try (0..<5).flatMap { _ in try Self.compute(adapter, [0, 1, 2]) } }
            }
            for try await results in group {
                for (index, bits) in results.enumerated() {
                    #expect(bits == expected[index % 3])
                }
            }
        }
    }

    /// Without sites at k and v, and with none in the encoder, the gradients of keys and values are not computed.
    @Test(arguments: TinyT5.Family.allCases)
    func `gradients have the same bits whether or not those of keys and values are made`(
        family: TinyT5.Family
    ) throws {
        func options(_ cross: Set<String>) -> LowRankOptions {
            let targets = LoraTargets(encoderSelf: [], decoderSelf: ["q"], decoderCross: cross, feedForward: [])
            return LowRankOptions(method: .unolora, rankA: 3, alpha: 4, tasks: 4, targets: targets)
        }
        let tiny = TinyT5(family)
        let (few, many) = (TinyAdapter(tiny, options(["q"])), TinyAdapter(tiny, options(["q", "k", "v"])))
        // The common sites have the same weights; the others have no effect.
        for entry in many.method.parameters.entries {
            let common = few.method.parameters[entry.name]
            for (i, place) in entry.range.enumerated() {
                many.weights.base[place] = common.map { few.weights.base[$0.offset + i] } ?? 0
            }
        }
        let key = DropoutKey(seed: 3, step: 4, rate: 0.1)
        let (own, other) = (few.gradients(Self.batches[0], dropout: key), many.gradients(Self.batches[0], dropout: key))
        #expect(own.loss == other.loss)
        for entry in few.method.parameters.entries {
            let same = try #require(many.method.parameters[entry.name])
            #expect(own.gradients[entry.range].map(\.bitPattern) == other.gradients[same.range].map(\.bitPattern))
            #expect(largestMagnitude(own.gradients[entry.range]) > 0)
        }
    }

    @Test(arguments: [TinyMethod.unolora, .hyperFormer, .full])
    func `a backward adds to the gradients`(method: TinyMethod) {
        let (engine, gradients) = Self.adapter(method).engine()
        _ = engine.forward(Self.batches[0], dropout: nil)
        engine.backward()
        let once = Array(gradients.elements)
        _ = engine.forward(Self.batches[0], dropout: nil)
        engine.backward()
        #expect(largestDifference(gradients.elements, once.map { 2 * $0 }) <= 1e-5 * largestMagnitude(once))
    }

    @Test(arguments: [TinyMethod.unoloraStar, .hyperFormer, .full])
    func `a step takes no more memory once the largest batch was seen`(method: TinyMethod) {
        let (engine, _) = Self.adapter(method).engine()
        for _ in 0..<2 {
            _ = engine.forward(Self.batches[1], dropout: DropoutKey(seed: 3, step: 4, rate: 0.1))
            engine.backward()
        }
        let held = engine.workspace.capacity
        for batch in Self.batches {
            _ = engine.forward(batch, dropout: DropoutKey(seed: 3, step: 4, rate: 0.1))
            engine.backward()
        }
        #expect(engine.workspace.capacity == held)
    }
}
