import Runs
import Studies
import Tasks
import Testing

@Suite struct PairedBootstrapTests {
    private static let accuracy = [StudyFigure(task: "t", metric: "accuracy")]

    private static func split(_ answers: [Double], gold: [Double]) -> AnsweredSplit {
        AnsweredSplit(classes: 2, metrics: [.accuracy], gold: gold, answers: answers)
    }

    /// A line of seeds with these accuracies, and perhaps with the answers behind them.
    private static func line(_ values: [Double], _ answers: [AnsweredSplit] = []) -> [SeedResult] {
        values.enumerated().map { index, value in
            var run = RunResult(tasks: ["t": task(["accuracy": value])])
            if !answers.isEmpty {
                var file = AnswersFile([])
                file.tasks = ["t": answers[index]]
                run.answers = file
            }
            return SeedResult(seed: index + 1, [run], isComplete: true)
        }
    }

    /// Differences of 0 and 1: two draws give a mean of 0, 0.5 or 1 with probabilities 1/4, 1/2 and 1/4, so 2.5 % and 97.5 % are
    /// at 0 and 1.
    @Test func `without answers only seeds are drawn`() throws {
        let result = PairedBootstrap.compare(Self.line([0.5, 1]), with: Self.line([0.5, 0]), Self.accuracy)
        let difference = try #require(result.figures[0])
        #expect(difference == PairedBootstrap.Difference(mean: 0.5, low: 0, high: 1, seeds: 2, overExamples: false))
        #expect(result.average == difference)
    }

    @Test func `one seed without answers has no spread`() throws {
        let result = PairedBootstrap.compare(Self.line([0.75]), with: Self.line([0.5]), Self.accuracy)
        #expect(
            result.figures == [
                PairedBootstrap.Difference(mean: 0.25, low: 0.25, high: 0.25, seeds: 1, overExamples: false)
            ])
    }

    /// The line is right on all of 100 examples and the reference on half of them: a resample's difference is a binomial number
    /// of 100 with probability 1/2 over 100, whose 2.5 % and 97.5 % quantiles are 0.40 and 0.60.
    @Test func `examples are drawn where the answers are known`() throws {
        let gold = [Double](repeating: 1, count: 100)
        let half = (0..<100).map { Double($0 % 2) }
        let result = PairedBootstrap.compare(
            Self.line([1], [Self.split(gold, gold: gold)]), with: Self.line([0.5], [Self.split(half, gold: gold)]),
            Self.accuracy)
        let difference = try #require(result.figures[0])
        #expect(difference.mean == 0.5 && difference.overExamples)
        #expect(abs(difference.low - 0.40) < 0.011 && abs(difference.high - 0.60) < 0.011, "\(difference)")
    }

    /// Both lines get the same examples, so equal answers have no difference in any resample.
    @Test func `equal answers differ in no resample`() {
        let gold = (0..<20).map { Double($0 % 2) }
        let answers = Self.split((0..<20).map { Double($0 % 3 == 0 ? 1 : 0) }, gold: gold)
        let line = Self.line([0.5], [answers])
        let result = PairedBootstrap.compare(line, with: line, Self.accuracy)
        #expect(result.figures == [PairedBootstrap.Difference(mean: 0, low: 0, high: 0, seeds: 1, overExamples: true)])
    }

    @Test func `answers to other examples are not paired`() {
        let one = Self.line([0.5], [Self.split([0, 0], gold: [0, 1])])
        let other = Self.line([0.5], [Self.split([0, 0], gold: [1, 0])])
        #expect(PairedBootstrap.compare(one, with: other, Self.accuracy).figures[0]?.overExamples == false)
    }

    @Test func `equal results give equal intervals, and what a line lacks gives none`() {
        let (line, reference) = (Self.line([0.1, 0.5, 0.9]), Self.line([0.2, 0.2, 0.3]))
        let figures = Self.accuracy + [StudyFigure(task: "u", metric: "f1")]
        let first = PairedBootstrap.compare(line, with: reference, figures)
        #expect(first == PairedBootstrap.compare(line, with: reference, figures))
        #expect(first.figures[0] != nil && first.figures[1] == nil && first.average == nil)
        #expect(PairedBootstrap.compare([], with: [], figures).figures == [nil, nil])
    }
}
