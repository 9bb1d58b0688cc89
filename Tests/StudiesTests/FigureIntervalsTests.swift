import Studies
import Tasks
import Testing

@testable import Runs

/// The intervals of one run's figures.
@Suite struct FigureIntervalsTests {
    private static let gold = [Double](repeating: 1, count: 100)
    private static let half = (0..<100).map { Double($0 % 2) }

    private static func record(_ figures: [String: [String: Double]], average: Double, of count: Int)
        -> EvaluationRecord
    {
        EvaluationRecord(
            step: 1, split: "test", average: average, averagedFigures: count, averageOverTasks: average,
            tasks: figures.mapValues {
                EvaluationRecord.Task(figures: $0, examples: 100, invalidAnswers: 0, undefined: [])
            }, timing: .init(seconds: 1, examplesPerSecond: 1))
    }

    private static func file(_ tasks: [String: [Double]]) -> AnswersFile {
        var file = AnswersFile([])
        file.tasks = tasks.mapValues {
            AnsweredSplit(classes: 2, metrics: [.accuracy], gold: gold, answers: $0)
        }
        return file
    }

    private static let a = StudyFigure(task: "a", metric: "accuracy")

    /// A binomial number of 100 with probability 1/2 has its 2.5 % and 97.5 % quantiles at 40 and 60. The mean with a figure that is
    /// always 1 has half of that spread.
    @Test func `intervals are those of the binomial distribution`() throws {
        let record = Self.record(["a": ["accuracy": 0.5], "b": ["accuracy": 1]], average: 0.75, of: 2)
        let intervals = FigureIntervals(record, Self.file(["a": Self.half, "b": Self.gold]), tasks: ["a", "b"])
        let own = try #require(intervals.figures[Self.a])
        #expect(abs(own.lowerBound - 0.4) < 0.011 && abs(own.upperBound - 0.6) < 0.011, "\(own)")
        #expect(intervals.figures[StudyFigure(task: "b", metric: "accuracy")] == 1...1)
        let average = try #require(intervals.average)
        #expect(abs(average.lowerBound - 0.7) < 0.006 && abs(average.upperBound - 0.8) < 0.006, "\(average)")
    }

    @Test func `without answers, or with those of other figures, there is none`() {
        let record = Self.record(["a": ["accuracy": 0.5], "b": ["accuracy": 1]], average: 0.75, of: 2)
        let one = FigureIntervals(record, Self.file(["a": Self.half]), tasks: ["a", "b"])
        #expect(one.figures.count == 1 && one.average == nil)
        let other = FigureIntervals(record, Self.file(["a": Self.gold, "b": Self.gold]), tasks: ["a", "b"])
        #expect(other.figures[Self.a] == nil && other.figures.count == 1 && other.average == nil)
        // A task beside the average does not count in it.
        let beside = Self.record(["a": ["accuracy": 0.5], "a_other": ["accuracy": 1]], average: 0.5, of: 1)
        let own = FigureIntervals(beside, Self.file(["a": Self.half, "a_other": Self.gold]), tasks: ["a"])
        #expect(own.average == own.figures[Self.a] && own.average != nil)
    }
}
