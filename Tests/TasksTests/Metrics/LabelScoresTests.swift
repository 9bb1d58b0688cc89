import Foundation
import Testing

@testable import Tasks

@Suite struct LabelScoresTests {
    @Test(arguments: labelGoldens.indices)
    func `figures of labels and their mean agree with scikit-learn`(index: Int) throws {
        let golden = labelGoldens[index]
        let texts = (0..<golden.classes).map { "label \($0)" }
        let scores = try TaskScores(
            answers: golden.answers.map { $0 < 0 ? "" : texts[$0] }, gold: golden.gold.map { .label($0) },
            space: .classes(texts), metrics: [.macroF1], positive: nil, labelNames: texts.map { "file \($0)" })
        #expect(abs((scores[.macroF1] ?? -1) - golden.macroF1) < 1e-12, "\(golden.name)")
        #expect(scores.labels.map(\.label) == texts.map { "file \($0)" })
        #expect(scores.labels.map(\.examples) == golden.examples)
        func agrees(_ values: [Double], _ expected: [Double]) -> Bool {
            zip(values, expected).allSatisfy { abs($0 - $1) < 1e-12 } && values.count == expected.count
        }
        #expect(agrees(scores.labels.map(\.precision), golden.precision), "\(golden.name)")
        #expect(agrees(scores.labels.map(\.recall), golden.recall), "\(golden.name)")
        #expect(agrees(scores.labels.map(\.f1), golden.f1), "\(golden.name)")
    }

    @Test func `the mean over no examples is undefined`() throws {
        let scores = try TaskScores(
            answers: [], gold: [], space: .classes(["a", "b"]), metrics: [.macroF1], positive: nil)
        #expect(scores.figures == [.init(metric: .macroF1, value: 0, isUndefined: true)])
    }
}
