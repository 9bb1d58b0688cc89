import Adapters
import Testing

@testable import T5

@Suite struct GenerationTests {
    private static let lengths = [(5, 1, 1), (1, 1, 0), (20, 1, 2), (3, 1, 1), (8, 1, 3)]

    private func adapter(
        _ family: TinyT5.Family, _ method: LowRankOptions.Method = .unoloraStar, endToken: Int32 = 1
    ) -> TinyAdapter {
        var options = LowRankOptions(method: method, rankA: 3, alpha: 4, tasks: 4)
        options.targets = .everything
        return TinyAdapter(TinyT5(family, endToken: endToken), options)
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

    @Test(arguments: TinyT5.Family.allCases, [LowRankOptions.Method.unolora, .unoloraStar, .loraPerTask])
    func `an answer is the teacher-forced argmax of itself`(
        family: TinyT5.Family, method: LowRankOptions.Method
    ) {
        let adapter = adapter(family, method)
        let (engine, _) = adapter.engine()
        let batch = TinyT5.batch(Self.lengths)
        let answers = engine.generate(batch, maxNewTokens: [12, 12, 12, 12, 12])
        let logits = engine.logits(answered(batch, answers))
        let best = (0..<logits.rows).map { Int32(indexOfMaximum(logits.row($0), logits.columns)) }
        #expect(best == answers.flatMap { $0 })
        #expect(Set(answers.flatMap { $0 }).count >= 3, "answers that are all alike would prove little")
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `a batch of different limits gives the answers of single generation`(family: TinyT5.Family) {
        let adapter = adapter(family)
        let batch = TinyT5.batch(Self.lengths)
        let limits = [7, 0, 3, 12, 1]
        let answers = adapter.engine().engine.generate(batch, maxNewTokens: limits)
        for i in 0..<batch.count {
            let single = adapter.engine().engine.generate(batch.examples([i]), maxNewTokens: [limits[i]])
            #expect(answers[i] == single[0])
            #expect(answers[i].count <= limits[i])
        }
        #expect(answers[1].isEmpty && answers[4].count == 1)
    }

    /// The end token is chosen to be one that the model says: then some answers end early and others go on.
    @Test(arguments: TinyT5.Family.allCases)
    func `an answer ends with the end token and the others go on`(family: TinyT5.Family) throws {
        let batch = TinyT5.batch(Self.lengths)
        let limits = [Int](repeating: 12, count: batch.count)
        let free = adapter(family, endToken: 1).engine().engine.generate(batch, maxNewTokens: limits)
        let end = try #require(
            free.flatMap { $0.prefix(6) }.first { token in
                free.contains { $0.contains(token) } && free.contains { !$0.contains(token) }
            })
        let answers = adapter(family, endToken: end).engine().engine.generate(batch, maxNewTokens: limits)
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

    @Test func `generation between two steps changes nothing`() {
        let adapter = adapter(.v10)
        let batch = TinyT5.batch()
        let (engine, gradients) = adapter.engine()
        _ = engine.generate(batch, maxNewTokens: [5, 5, 5, 5])
        engine.backward()
        #expect(gradients.elements.allSatisfy { $0 == 0 })
        _ = engine.forward(batch, dropout: nil)
        engine.backward()
        #expect(Array(gradients.elements) == adapter.gradients(batch).gradients)
    }
}
