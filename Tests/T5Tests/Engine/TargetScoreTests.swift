import Adapters
import Backbone
import BackboneChecks
import Kernels
import Tensors
import TestSupport
import Testing

@testable import T5

/// The log-probabilities that decoding gives for targets.
@Suite struct TargetScoreTests {
    private static let lengths = [(5, 1, 1), (1, 1, 0), (20, 1, 2), (3, 1, 1), (8, 1, 3)]
    /// Targets with common beginnings, one that is the beginning of another, equal ones, and an example without any.
    private static let targets: [[[Int32]]] = [
        [[7, 1], [7, 9, 1], [7, 9, 12, 1], [30, 1]], [[4, 5, 6, 1], [1]], [],
        [[7, 1], [8, 1], [9, 20, 1], [9, 21, 1], [9, 20, 22, 23, 1]], [[11, 1], [11, 1], [11]],
    ]

    private func adapter(
        _ family: TinyT5.Family, _ method: TinyMethod, packs: Bool = false, isWide: Bool = false
    ) -> TinyAdapter {
        var options = LowRankOptions(method: .unolora, rankA: 3, alpha: 4, tasks: 4)
        options.targets = .everything
        return TinyAdapter(TinyT5(family, packs: packs, isWide: isWide), method, options)
    }

    /// The training's forward of every target by itself is the independent computation.
    @Test(arguments: TinyT5.Family.allCases, TinyMethod.allCases)
    func `a target's log-probability is minus its loss`(family: TinyT5.Family, method: TinyMethod) throws {
        for packs in [false] + (OneDNN.isInBuild ? [true] : []) {
            let adapter = adapter(family, method, packs: packs)
            let batch = TinyT5.batch(Self.lengths)
            let answers = try adapter.engine().engine.answers(
                batch, maxNewTokens: [3, 0, 12, 1, 5], targets: Self.targets)
            for (example, own) in Self.targets.enumerated() {
                #expect(answers[example].logProbabilities.count == own.count)
                for (target, found) in zip(own, answers[example].logProbabilities) {
                    let one = batch.examples([example])
                    var single = RaggedBatch()
                    single.append(source: one.sources, target: target, task: one.tasks[0], slot: one.slots[0])
                    let loss = adapter.engine().engine.forward(single, dropout: nil).perExample[0]
                    let allowed = 1e-5 * max(1, abs(loss))
                    #expect(abs(found + loss) <= allowed, "example \(example), target \(target): \(found), \(-loss)")
                }
            }
            #expect(Set(answers.flatMap(\.logProbabilities)).count >= 12, "numbers that are alike would prove little")
        }
    }

    @Test(arguments: TinyT5.Family.allCases, TinyMethod.allCases)
    func `answers are those without targets, and an example has the same bits alone`(
        family: TinyT5.Family, method: TinyMethod
    ) throws {
        for packs in [false] + (OneDNN.isInBuild ? [true] : []) {
            for isWide in [false, true] {
                let adapter = adapter(family, method, packs: packs, isWide: isWide)
                let batch = TinyT5.batch(Self.lengths)
                let limits = [8, 0, 12, 1, 5]
                let all = try adapter.engine().engine.answers(batch, maxNewTokens: limits, targets: Self.targets)
                #expect(try adapter.engine().engine.generate(batch, maxNewTokens: limits) == all.map(\.tokens))
                for example in 0..<batch.count {
                    let alone = try adapter.engine().engine.answers(
                        batch.examples([example]), maxNewTokens: [limits[example]],
                        targets: [Self.targets[example]])
                    #expect(alone == [all[example]], "example \(example), packed \(packs), wide \(isWide)")
                    // A target has the same bits whichever other targets there are.
                    for (number, target) in Self.targets[example].enumerated() {
                        let single = try adapter.engine().engine.answers(
                            batch.examples([example]), maxNewTokens: [0], targets: [[target]])
                        #expect(single[0].logProbabilities == [all[example].logProbabilities[number]])
                    }
                }
            }
        }
    }

    @Test func `a target that begins with the answer does not disturb it`() throws {
        let adapter = adapter(.v11, .unoloraStar)
        let batch = TinyT5.batch(Self.lengths)
        let limits = [Int](repeating: 6, count: batch.count)
        let answers = try adapter.engine().engine.generate(batch, maxNewTokens: limits)
        // The answer itself, its beginning, and one that leaves it in the middle.
        let targets = answers.map { answer in [answer, Array(answer.prefix(2)), answer.prefix(3) + [36, 35, 1]] }
        let scored = try adapter.engine().engine.answers(batch, maxNewTokens: limits, targets: targets)
        #expect(scored.map(\.tokens) == answers)
        #expect(scored.allSatisfy { $0.logProbabilities[0] <= $0.logProbabilities[1] })
    }

    @Test func `a logit that is not finite is refused by the example`() throws {
        let adapter = adapter(.v11, .loraPerTask)
        let batch = TinyT5.batch(Self.lengths)
        let entry = try #require(adapter.method.parameters.entries.first { $0.name.hasSuffix("lora_A.weight") })
        // The part of the tensor for task 3, which only the fifth example has.
        adapter.weights.base[entry.offset + 3 * entry.count / 4] = .nan
        #expect(throws: NonFiniteLogits(example: 4)) {
            try adapter.engine().engine.answers(batch, maxNewTokens: [0, 0, 0, 0, 0], targets: Self.targets)
        }
    }

    @Test func `normalised log-probabilities are a log-softmax`() {
        var answer = DecodedAnswer()
        #expect(answer.normalisedLogProbabilities == [])
        answer.logProbabilities = [-1000, -1001, -1003]
        // 1 / (1 + e^-1 + e^-3) = 0.705384513...
        let expected = [-0.3490122167, -1.3490122167, -3.3490122167]
        #expect(largestDifference(answer.normalisedLogProbabilities, expected) <= 1e-9)
    }
}
