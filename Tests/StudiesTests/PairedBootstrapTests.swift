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

    private static func compare(
        _ line: [SeedResult], with reference: [SeedResult], _ figures: [StudyFigure]
    ) -> PairedBootstrap.Result {
        PairedBootstrap.compare(line, with: reference, figures)!
    }

    /// Differences of 0 and 1: two draws give a mean of 0, 0.5 or 1 with probabilities 1/4, 1/2 and 1/4, so 2.5 % and 97.5 % are
    /// at 0 and 1.
    @Test func `without answers only seeds are drawn`() throws {
        let result = Self.compare(Self.line([0.5, 1]), with: Self.line([0.5, 0]), Self.accuracy)
        let difference = try #require(result.figures[0])
        #expect(difference == PairedBootstrap.Difference(mean: 0.5, low: 0, high: 1, seeds: 2, overExamples: false))
        #expect(result.average == difference)
    }

    /// The line is right on one of two groups of 50 examples, and the reference nowhere: two drawn groups give a difference of 0,
    /// 0.5 or 1, while single examples would give 0.4 to 0.6.
    @Test func `examples with groups are drawn in whole groups`() throws {
        let gold = [Double](repeating: 1, count: 100)
        func split(_ answers: [Double]) -> AnsweredSplit {
            AnsweredSplit(
                classes: 2, metrics: [.accuracy, .groupExactMatch], gold: gold, answers: answers,
                groups: (0..<100).map { $0 % 2 })
        }
        func line(_ value: Double, _ answers: [Double]) -> [SeedResult] {
            var run = RunResult(tasks: ["t": task(["accuracy": value, "group_exact_match": value])])
            var file = AnswersFile([])
            file.tasks = ["t": split(answers)]
            run.answers = file
            return [SeedResult(seed: 1, [run], isComplete: true)]
        }
        let figures = Self.accuracy + [StudyFigure(task: "t", metric: "group_exact_match")]
        let result = Self.compare(
            line(0.5, (0..<100).map { Double($0 % 2) }), with: line(0, [Double](repeating: 0, count: 100)), figures)
        let expected = PairedBootstrap.Difference(mean: 0.5, low: 0, high: 1, seeds: 1, overExamples: true)
        #expect(result.figures == [expected, expected])
    }

    @Test func `one seed without answers has no spread`() throws {
        let result = Self.compare(Self.line([0.75]), with: Self.line([0.5]), Self.accuracy)
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
        let result = Self.compare(
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
        let result = Self.compare(line, with: line, Self.accuracy)
        #expect(result.figures == [PairedBootstrap.Difference(mean: 0, low: 0, high: 0, seeds: 1, overExamples: true)])
    }

    @Test func `answers to other examples are not paired`() {
        let one = Self.line([0.5], [Self.split([0, 0], gold: [0, 1])])
        let other = Self.line([0.5], [Self.split([0, 0], gold: [1, 0])])
        #expect(Self.compare(one, with: other, Self.accuracy).figures[0]?.overExamples == false)
    }

    /// Seed 2 lacks task u in the line, as after a failed run. Its figure of t counts all the same: differences 0 and 1 as in the
    /// first test. Figure u and the average have seed 1 alone, with differences 0.25 and (0 + 0.25) / 2.
    @Test func `a task that one seed lacks does not take the seed from other tasks`() throws {
        func seed(_ number: Int, _ t: Double, _ u: Double?) -> SeedResult {
            var tasks = ["t": task(["accuracy": t])]
            if let u { tasks["u"] = task(["accuracy": u]) }
            return SeedResult(seed: number, [RunResult(tasks: tasks)], isComplete: u != nil)
        }
        let result = Self.compare(
            [seed(1, 0.5, 0.5), seed(2, 1, nil)], with: [seed(1, 0.5, 0.25), seed(2, 0, 0.5)],
            Self.accuracy + [StudyFigure(task: "u", metric: "accuracy")])
        typealias Difference = PairedBootstrap.Difference
        #expect(
            result.figures == [
                Difference(mean: 0.5, low: 0, high: 1, seeds: 2, overExamples: false),
                Difference(mean: 0.25, low: 0.25, high: 0.25, seeds: 1, overExamples: false),
            ])
        #expect(
            result.average == Difference(mean: 0.125, low: 0.125, high: 0.125, seeds: 1, overExamples: false))
    }

    @Test func `equal results give equal intervals, and what a line lacks gives none`() {
        let (line, reference) = (Self.line([0.1, 0.5, 0.9]), Self.line([0.2, 0.2, 0.3]))
        let figures = Self.accuracy + [StudyFigure(task: "u", metric: "f1")]
        let first = Self.compare(line, with: reference, figures)
        #expect(first == Self.compare(line, with: reference, figures))
        #expect(first.figures[0] != nil && first.figures[1] == nil && first.average == nil)
        #expect(Self.compare([], with: [], figures).figures == [nil, nil])
    }

    @Test func `a comparison that is given up ends before the next resample`() {
        var asked = 0
        let result = PairedBootstrap.compare(Self.line([0.5]), with: Self.line([0.25]), Self.accuracy) {
            asked += 1
            return asked == 3
        }
        #expect(result == nil && asked == 3)
    }
}
