import Adapters
import Backbone
import BackboneChecks
import Kernels
import Tensors
import TestSupport
import Testing

@testable import T5

/// The engine with packed weights: the same functions, and the bits do not depend on anything else either.
@Suite(.enabled(if: OneDNN.isInBuild, "this build has no oneDNN")) struct PackedModelTests {
    private static let options = LowRankOptions(method: .unoloraStar, rankA: 3, rankB: 2, alpha: 4, tasks: 4)

    private static func adapter(_ family: TinyT5.Family, packs: Bool) -> TinyAdapter {
        TinyAdapter(TinyT5(family, packs: packs), options)
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `loss, gradients and answers are those of the weights as they are`(family: TinyT5.Family) throws {
        let batch = TinyT5.batch()
        let dropout = DropoutKey(seed: 3, step: 4, rate: 0.1)
        let plain = Self.adapter(family, packs: false)
        let packed = Self.adapter(family, packs: true)
        let (expected, got) = (plain.gradients(batch, dropout: dropout), packed.gradients(batch, dropout: dropout))
        #expect(abs(expected.loss.sum - got.loss.sum) <= 1e-5 * expected.loss.sum)
        #expect(
            largestDifference(expected.gradients, got.gradients) <= 1e-5 * largestMagnitude(expected.gradients))
        let limits = batch.targetLengths.map { $0 + 3 }
        let answers = try plain.engine().engine.generate(batch, maxNewTokens: limits)
        #expect(try packed.engine().engine.generate(batch, maxNewTokens: limits) == answers)
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `gradients agree with finite differences`(family: TinyT5.Family) {
        let check = GradientCheck(adapter: Self.adapter(family, packs: true), batch: TinyT5.batch())
        #expect(check.disagreements() == [])
    }

    /// The result of an example must not depend on the other examples' rows.
    @Test(
        .enabled(if: OneDNN.isFast, "needs a processor with AVX-512"), arguments: TinyT5.Family.allCases)
    func `an example's logits have the same bits alone and beside others`(family: TinyT5.Family) {
        let adapter = Self.adapter(family, packs: true)
        let batch = TinyT5.batch()
        // The engine's workspace holds the logits.
        let engine = adapter.engine().engine
        let all = engine.logits(batch).copied()
        #expect(all.allSatisfy { $0.isFinite })
        var row = 0
        for example in 0..<batch.count {
            let alone = engine.logits(batch.examples([example])).copied()
            let width = adapter.model.configuration.vocabularySize
            let own = Array(all[row * width..<(row + batch.targetLengths[example]) * width])
            #expect(own.map(\.bitPattern) == alone.map(\.bitPattern))
            row += batch.targetLengths[example]
        }
    }
}
