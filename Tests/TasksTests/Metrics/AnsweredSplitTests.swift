import Failures
import Tasks
import Testing

@Suite struct AnsweredSplitTests {
    @Test func `the figures of all examples are those of the task`() throws {
        let space = AnswerSpace.classes(["no", "yes"])
        let gold: [GoldAnswer] = [.label(0), .label(1), .label(1), .label(0), .label(1)]
        let answers = ["no", " yes", "maybe", "yes", "yes"]
        let metrics: [Metric] = [.accuracy, .f1, .matthews]
        let positive = PositiveClass(index: 1, label: "1")
        let scores = try TaskScores(answers: answers, gold: gold, space: space, metrics: metrics, positive: positive)
        let split = AnsweredSplit(answers: answers, gold: gold, space: space, metrics: metrics, positive: positive)
        #expect(split.answers == [0, 1, -1, 1, 1] && split.isConsistent)
        #expect(split.figures(of: [0, 1, 2, 3, 4]) == scores.figures.map(\.value))
        // Two copies of the first example, right both times; the only gold class has no correlation.
        #expect(split.figures(of: [0, 0]) == [1, 0, 0])
    }

    @Test func `grades are compared as numbers`() throws {
        let space = AnswerSpace.grades(minimum: 0, maximum: 5, step: 0.5, decimals: 1)
        let gold: [GoldAnswer] = [.score(1), .score(2), .score(4.2)]
        let answers = ["1.0", "2.5", "none"]
        let metrics: [Metric] = [.pearson, .spearman]
        let scores = try TaskScores(answers: answers, gold: gold, space: space, metrics: metrics, positive: nil)
        let split = AnsweredSplit(answers: answers, gold: gold, space: space, metrics: metrics, positive: nil)
        #expect(split.figures(of: [0, 1, 2]) == scores.figures.map(\.value))
        #expect(split.figures(of: [1, 1, 1]) == [0, 0])
    }

    @Test(arguments: [
        AnsweredSplit(classes: 2, metrics: [.accuracy], gold: [0, 2], answers: [0, 1]),
        AnsweredSplit(classes: 2, metrics: [.accuracy], gold: [0, 1], answers: [0, 0.5]),
        AnsweredSplit(classes: 2, metrics: [.accuracy], gold: [0], answers: [0, 1]),
        AnsweredSplit(classes: 2, positive: 2, metrics: [.f1], gold: [0], answers: [0]),
        AnsweredSplit(classes: nil, metrics: [.accuracy], gold: [0], answers: [0]),
        AnsweredSplit(classes: 1_000_000, metrics: [.accuracy], gold: [0], answers: [0]),
    ])
    func `numbers that do not fit together are recognised`(split: AnsweredSplit) {
        #expect(!split.isConsistent)
    }
}
