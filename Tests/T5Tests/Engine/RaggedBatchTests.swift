import Adapters
import Backbone
import BackboneChecks
import Tensors
import TestSupport
import Testing

@testable import T5

/// A batch is only the set of its examples: no example depends on another one, on its position or on its neighbours' padding.
@Suite struct RaggedBatchTests {
    private func adapter(_ family: TinyT5.Family, _ method: TinyMethod) -> TinyAdapter {
        var options = LowRankOptions(method: .unolora, rankA: 3, rankB: 2, alpha: 4, tasks: 4, dropout: 0.2)
        options.targets = .everything
        return TinyAdapter(TinyT5(family), method, options)
    }

    private func expectClose(_ a: [Float], _ b: [Float], within tolerance: Double, _ what: String) {
        let (scale, worst) = (largestMagnitude(b), largestDifference(a, b))
        #expect(worst <= tolerance * larger(scale, 1e-3), "\(what): \(worst) of \(scale)")
    }

    @Test(arguments: TinyT5.Family.allCases, TinyMethod.allCases)
    func `a batch gives the results of its examples one by one`(
        family: TinyT5.Family, method: TinyMethod
    ) throws {
        let adapter = adapter(family, method)
        let batch = TinyT5.batch()
        let key = DropoutKey(seed: 1, step: 2, rate: 0.1)
        let (loss, gradients) = adapter.gradients(batch, dropout: key)
        let (engine, _) = adapter.engine()
        let logits = engine.logits(batch).copied()
        let encoded = try #require(engine.encoderOutput).copied()
        var (summed, logitParts, encodedParts) = ([Float](repeating: 0, count: gradients.count), [Float](), [Float]())
        for i in 0..<batch.count {
            let single = batch.examples([i])
            let (own, part) = adapter.gradients(single, dropout: key)
            #expect(abs(own.sum - loss.perExample[i]) <= 1e-5 * max(1, own.sum))
            #expect(own.tokens == [loss.tokens[i]] && loss.tokens[i] == batch.targetLengths[i])
            for j in summed.indices { summed[j] += part[j] }
            logitParts += engine.logits(single).copied()
            encodedParts += try #require(engine.encoderOutput).copied()
        }
        expectClose(logits, logitParts, within: 2e-5, "logits")
        expectClose(encoded, encodedParts, within: 2e-5, "encoder output")
        expectClose(gradients, summed, within: 5e-5, "gradients")
    }

    @Test(arguments: TinyT5.Family.allCases, TinyMethod.allCases)
    func `a permutation of the examples permutes the results`(
        family: TinyT5.Family, method: TinyMethod
    ) throws {
        let adapter = adapter(family, method)
        let (batch, order) = (TinyT5.batch(), [2, 0, 3, 1])
        let key = DropoutKey(seed: 1, step: 2, rate: 0.1)
        let (loss, gradients) = adapter.gradients(batch, dropout: key)
        let (moved, movedGradients) = adapter.gradients(batch.examples(order), dropout: key)
        for (position, example) in order.enumerated() {
            #expect(abs(moved.perExample[position] - loss.perExample[example]) <= 1e-5 * loss.perExample[example])
        }
        expectClose(movedGradients, gradients, within: 5e-5, "gradients")
        let limits = [6, 6, 6, 6]
        let answers = try adapter.engine().engine.generate(batch, maxNewTokens: limits)
        let movedAnswers = try adapter.engine().engine.generate(batch.examples(order), maxNewTokens: limits)
        #expect(movedAnswers == order.map { answers[$0] })
    }

    @Test func `dropout belongs to the slot and the step, not to the place in the batch`() {
        let adapter = adapter(.v10, .unolora)
        let batch = TinyT5.batch([(5, 3, 1), (5, 3, 1)])
        func losses(_ batch: RaggedBatch, step: UInt32, seed: UInt64 = 1) -> [Double] {
            adapter.gradients(batch, dropout: DropoutKey(seed: seed, step: step, rate: 0.1)).loss.perExample
        }
        var twin = RaggedBatch()
        for slot in [4, 9] as [UInt32] {
            twin.append(source: batch.sources[..<5], target: batch.targets[..<3], task: 1, slot: slot)
        }
        let first = losses(twin, step: 1)
        #expect(first[0] != first[1])
        #expect(losses(twin, step: 2) != first && losses(twin, step: 1, seed: 2) != first)
        #expect(losses(twin, step: 1) == first)
    }

    @Test func `a batch keeps its examples end to end`() {
        let batch = TinyT5.batch()
        #expect(batch.count == 4 && batch.sources.count == 29 && batch.targets.count == 10)
        #expect(batch.sourceLengths == [5, 1, 20, 3] && batch.slots == [3, 5, 7, 9])
        #expect(batch.examples([0, 1, 2, 3]) == batch)
        #expect(RaggedBatch().count == 0)
    }

    @Test func `padding fills short targets up and changes nothing else`() {
        var batch = RaggedBatch()
        batch.append(source: [7, 8, 1], target: [5, 1], task: 2, slot: 4)
        batch.append(source: [9], target: [6, 5, 4, 3, 1], task: 0, slot: 1)
        batch.append(source: [3, 1], target: [], task: 1, slot: 0)
        batch.append(source: [2, 1], target: [4, 3, 1], task: 1, slot: 9)
        var padded = RaggedBatch()
        padded.append(source: [7, 8, 1], target: [5, 1, 36], task: 2, slot: 4)
        padded.append(source: [9], target: [6, 5, 4, 3, 1], task: 0, slot: 1)
        padded.append(source: [3, 1], target: [36, 36, 36], task: 1, slot: 0)
        padded.append(source: [2, 1], target: [4, 3, 1], task: 1, slot: 9)
        #expect(batch.paddingTargets(to: 3, with: 36) == padded)
        #expect(batch.paddingTargets(to: 0, with: 36) == batch)
        #expect(RaggedBatch().paddingTargets(to: 3, with: 36) == RaggedBatch())
    }
}
