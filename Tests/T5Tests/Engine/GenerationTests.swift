import Adapters
import BackboneChecks
import Kernels
import Tensors
import Testing

@testable import Backbone
@testable import T5

@Suite struct GenerationTests {
    private static let lengths = [(5, 1, 1), (1, 1, 0), (20, 1, 2), (3, 1, 1), (8, 1, 3)]

    private func adapter(
        _ family: TinyT5.Family, _ method: TinyMethod = .unoloraStar, endToken: Int32 = 1
    ) -> TinyAdapter {
        var options = LowRankOptions(method: .unolora, rankA: 3, alpha: 4, tasks: 4)
        options.targets = .everything
        return TinyAdapter(TinyT5(family, endToken: endToken), method, options)
    }

    /// The examples with answers as targets; those without an answer are left out.
    private func answered(_ batch: RaggedBatch, _ answers: [[Int32]]) -> RaggedBatch {
        var result = RaggedBatch()
        for i in 0..<batch.count {
            let one = batch.examples([i])
            result.append(source: one.sources, target: answers[i], task: one.tasks[0], slot: one.slots[0])
        }
        return result
    }

    @Test(arguments: TinyT5.Family.allCases, TinyMethod.allCases)
    func `an answer is the teacher-forced argmax of itself`(
        family: TinyT5.Family, method: TinyMethod
    ) throws {
        let adapter = adapter(family, method)
        let (engine, _) = adapter.engine()
        let batch = TinyT5.batch(Self.lengths)
        let answers = try engine.generate(batch, maxNewTokens: [12, 12, 12, 12, 12])
        let logits = engine.logits(answered(batch, answers))
        let best = (0..<logits.rows).map { Int32(indexOfMaximum(logits.row($0), logits.columns)) }
        #expect(best == answers.flatMap { $0 })
        #expect(Set(answers.flatMap { $0 }).count >= 3, "answers that are all alike would prove little")
    }

    @Test(arguments: TinyT5.Family.allCases, [TinyMethod.unoloraStar, .hyperFormer, .full])
    func `a batch of different limits gives the answers of single generation`(
        family: TinyT5.Family, method: TinyMethod
    ) throws {
        let adapter = adapter(family, method)
        let batch = TinyT5.batch(Self.lengths)
        let limits = [7, 0, 3, 12, 1]
        let answers = try adapter.engine().engine.generate(batch, maxNewTokens: limits)
        for i in 0..<batch.count {
            let single = try adapter.engine().engine.generate(batch.examples([i]), maxNewTokens: [limits[i]])
            #expect(answers[i] == single[0])
            #expect(answers[i].count <= limits[i])
        }
        #expect(answers[1].isEmpty && answers[4].count == 1)
    }

    /// The bits of all logits from which each example's answer was chosen.
    private static func logits(
        _ adapter: TinyAdapter, _ batch: RaggedBatch, _ limits: [Int]
    ) throws -> [[UInt32]] {
        var bits = [[UInt32]](repeating: [], count: batch.count)
        let none = [[[Int32]]](repeating: [], count: batch.count)
        _ = try adapter.engine().engine.answers(batch, maxNewTokens: limits, targets: none) { example, logits in
            bits[example] += logits.map(\.bitPattern)
        }
        return bits
    }

    /// With unpacked and with packed weights, and with ranks so large that a library would compute the adapter's products,
    /// whatever its kernels. No vocabulary has the end token, so the examples leave the batch one by one, and there are steps
    /// with every number of rows.
    @Test(arguments: TinyT5.Family.allCases, TinyMethod.allCases)
    func `an answer's logits have the same bits alone and beside others`(
        family: TinyT5.Family, method: TinyMethod
    ) throws {
        var options = LowRankOptions(method: .unolora, rankA: 70, rankB: 66, alpha: 4, tasks: 4)
        options.targets = .everything
        options.hyper.dimension = 70
        options.hyper.bottleneck = 80
        for packs in [false] + (OneDNN.isInBuild ? [true] : []) {
            for wide in [false, true] {
                let adapter = TinyAdapter(
                    TinyT5(family, endToken: 999, packs: packs, isWide: wide), method, options)
                let batch = TinyT5.batch(Self.lengths + [(13, 1, 1), (2, 1, 3), (9, 1, 0)])
                let limits = [8, 3, 12, 1, 5, 7, 2, 6]
                let all = try Self.logits(adapter, batch, limits)
                for example in 0..<batch.count {
                    let alone = try Self.logits(adapter, batch.examples([example]), [limits[example]])[0]
                    #expect(alone.count == limits[example] * adapter.model.configuration.vocabularySize)
                    #expect(all[example] == alone, "example \(example), packed \(packs), wide \(wide)")
                }
            }
        }
    }

    /// The end token is one that the model generates, so some answers end early and others continue.
    @Test(arguments: TinyT5.Family.allCases)
    func `an answer ends with the end token and the others go on`(family: TinyT5.Family) throws {
        let batch = TinyT5.batch(Self.lengths)
        let limits = [Int](repeating: 12, count: batch.count)
        let free = try adapter(family, endToken: 1).engine().engine.generate(batch, maxNewTokens: limits)
        let end = try #require(
            free.flatMap { $0.prefix(6) }.first { token in
                free.contains { $0.contains(token) } && free.contains { !$0.contains(token) }
            })
        let answers = try adapter(family, endToken: end).engine().engine.generate(batch, maxNewTokens: limits)
        for (answer, whole) in zip(answers, free) where !whole.contains(1) {
            let cut = whole.firstIndex(of: end).map { Array(whole[...$0]) } ?? whole
            #expect(answer == cut)
        }
        #expect(answers.contains { $0.last == end && $0.count < 12 } && answers.contains { $0.count == 12 })
    }

    @Test func `ties go to the lowest token`() {
        var values: [Float] = [1, 3, 2, 3, 3]
        #expect(indexOfMaximum(&values, 5) == 1)
        #expect(indexOfMaximum(&values, 1) == 0)
    }

    @Test(arguments: TinyT5.Family.allCases, [Float.nan, .infinity, -.infinity])
    func `a logit that is not finite is refused, whichever it is`(family: TinyT5.Family, value: Float) throws {
        let adapter = adapter(family, .unolora)
        let batch = TinyT5.batch(Self.lengths)
        let limits = [Int](repeating: 12, count: batch.count)
        let output = adapter.tiny.weight(family == .v10 ? T5Configuration.embeddingName : T5Configuration.outputName)
        for row in [0, 17, output.rows - 1] {
            let kept = output[row, 3]
            output[row, 3] = value
            #expect(throws: NonFiniteLogits.self) { try adapter.engine().engine.generate(batch, maxNewTokens: limits) }
            output[row, 3] = kept
        }
        _ = try adapter.engine().engine.generate(batch, maxNewTokens: limits)
    }

    @Test(arguments: [Float.nan, .infinity])
    func `the refusal names the example, and the others alone are answered`(value: Float) throws {
        let adapter = adapter(.v11, .loraPerTask)
        let batch = TinyT5.batch(Self.lengths)
        let entry = try #require(adapter.method.parameters.entries.first { $0.name.hasSuffix("lora_A.weight") })
        // The part of the tensor for task 2, which only the third example has.
        adapter.weights.base[entry.offset + 2 * entry.count / 4] = value
        let engine = adapter.engine().engine
        #expect(throws: NonFiniteLogits(example: 2)) {
            try engine.generate(batch, maxNewTokens: [12, 12, 12, 12, 12])
        }
        #expect(try engine.generate(batch.examples([0, 1, 3, 4]), maxNewTokens: [5, 5, 5, 5]).count == 4)
        // For an example without an answer, nothing is computed that could be refused.
        #expect(try engine.generate(batch, maxNewTokens: [5, 5, 0, 5, 5])[2].isEmpty)
    }

    @Test(arguments: [TinyMethod.unoloraStar, .hyperFormer, .full])
    func `generation between two steps changes nothing`(method: TinyMethod) throws {
        let adapter = adapter(.v10, method)
        let batch = TinyT5.batch()
        let (engine, gradients) = adapter.engine()
        _ = try engine.generate(batch, maxNewTokens: [5, 5, 5, 5])
        engine.backward()
        #expect(gradients.elements.allSatisfy { $0 == 0 })
        _ = engine.forward(batch, dropout: nil)
        engine.backward()
        #expect(Array(gradients.elements) == adapter.gradients(batch).gradients)
    }
}
