import Adapters
import Backbone
import Kernels
import Tensors
import TestSupport
import Testing
import Training

@testable import Exports

@Suite struct MeanScalesTests {
    init() { BLAS.useOneThread() }

    private static func team(_ threads: Int, _ method: LowRankMethod, _ model: any Backbone) -> EngineTeam {
        EngineTeam(answering: AdaptedModel(method, on: model, seed: 1), threads: threads)
    }

    /// Texts of different lengths.
    private static func text(_ number: Int) -> [Int32] {
        (0...number % 9).map { Int32(2 + (number * 7 + $0 * 5) % 60) } + [1]
    }

    @Test(arguments: TinyBase.Form.allCases, [(4, 4), (5, 2), (2, 5)])
    func `for one text the static adapter is the adapter of that text`(form: TinyBase.Form, ranks: (Int, Int)) throws {
        let base = try TinyBase(form)
        let model = try base.open()
        let (method, weights) = base.method(.unoloraStar, rankA: ranks.0, rankB: ranks.1)
        for (task, text) in [(0, TinyBase.texts[0]), (1, TinyBase.texts[2])] {
            let scales = MeanScales(method, weights: weights.readOnly, on: model)
                .mean(task: task, count: 1, team: Self.team(1, method, model)) { _ in text }
            #expect(scales.contains { abs($0 - 1) > 0.05 })
            let expected = TinyBase.logits(model, method, weights, task: task, texts: [text])
            let adapter = StaticAdapter(method, weights: weights.readOnly, task: task, scales: scales)
            let found = adapter.applied(to: model, like: method.options).logits(task: task, texts: [text])
            #expect(largestDifference(found, expected) < 1e-5 * largestMagnitude(expected))
        }
    }

    @Test func `the mean is that of all texts, with the same bits for any number of threads`() throws {
        let base = try TinyBase(.v10)
        let model = try base.open()
        let (method, weights) = base.method(.unoloraStar)
        let means = MeanScales(method, weights: weights.readOnly, on: model)
        let count = 700
        let found = means.mean(task: 1, count: count, team: Self.team(1, method, model), source: Self.text)
        #expect(means.mean(task: 1, count: count, team: Self.team(3, method, model), source: Self.text) == found)
        var expected = [Double](repeating: 0, count: found.count)
        for number in 0..<count {
            let one = means.mean(task: 1, count: 1, team: Self.team(1, method, model)) { _ in Self.text(number) }
            for i in expected.indices { expected[i] += one[i] / Double(count) }
        }
        #expect(largestDifference(found, expected) < 1e-12)
        #expect(means.mean(task: 0, count: count, team: Self.team(1, method, model), source: Self.text) != found)
    }

    @Test func `without the text as an input no text is read`() throws {
        let base = try TinyBase(.v10)
        let model = try base.open()
        var hyper = HypernetworkOptions()
        hyper.inputs = [.task, .position]
        let (method, weights) = base.method(.unoloraStar, hyper: hyper)
        let scales = MeanScales(method, weights: weights.readOnly, on: model)
            .mean(task: 1, count: 0, team: Self.team(1, method, model)) { _ in [] }
        let expected = TinyBase.logits(model, method, weights, task: 1)
        let adapter = StaticAdapter(method, weights: weights.readOnly, task: 1, scales: scales)
        let found = adapter.applied(to: model, like: method.options).logits(task: 1)
        #expect(largestDifference(found, expected) < 1e-5 * largestMagnitude(expected))
    }
}
