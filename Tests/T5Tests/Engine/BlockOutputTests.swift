import Backbone
import Kernels
import Tensors
import Testing

@testable import T5

@Suite struct BlockOutputTests {
    private static func outputs(_ engine: T5Engine) -> [[Float]] {
        _ = engine.logits(TinyT5.batch())
        return Stack.allCases.flatMap { engine.blockOutputs($0) }.map { $0.copied() }
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `a changed block changes its own output and all behind it, none before`(family: TinyT5.Family) {
        let tiny = TinyT5(family)
        let model = tiny.model
        let engine = T5Engine(model: model, adaptation: nil)
        #expect(engine.blockOutputs(.encoder).isEmpty && engine.blockOutputs(.decoder).isEmpty)
        let before = Self.outputs(engine)
        #expect(before.count == 4)
        let places: [(Stack, Int)] = [(.encoder, 0), (.encoder, 1), (.decoder, 0), (.decoder, 1)]
        for (position, (stack, block)) in places.enumerated() {
            // The last projection of the block: nothing else of the block comes after it.
            let group = model.group(Sublayer(stack, block, .feedForward), .feedForwardOutput)
            let wo = tiny.weight(group.projections[0].name + ".weight")
            let original = wo.readOnly.copied()
            for i in 0..<wo.count { wo.base[i] *= 1.5 }
            let after = Self.outputs(engine)
            for i in before.indices {
                #expect((before[i] == after[i]) == (i < position), "block \(position), output \(i)")
            }
            for i in 0..<wo.count { wo.base[i] = original[i] }
        }
        #expect(Self.outputs(engine) == before)
    }

    @Test func `the last block's output is what the final norm reads`() throws {
        let model = TinyT5(.v10).model
        let engine = T5Engine(model: model, adaptation: nil)
        _ = engine.logits(TinyT5.batch())
        let last = try #require(engine.blockOutputs(.encoder).last)
        let memory = Arena(count: last.count + last.rows)
        let expected = MutableMatrix(memory.base, rows: last.rows, columns: last.columns)
        rmsNorm(
            last, weight: model.finalNorm(.encoder).base, epsilon: model.configuration.normEpsilon, into: expected,
            inverse: memory.base + last.count)
        #expect(engine.encoderOutput?.copied() == expected.readOnly.copied())
    }
}
