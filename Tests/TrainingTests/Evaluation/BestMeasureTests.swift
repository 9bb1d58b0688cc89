import Configuration
import Failures
import Tasks
import Testing

@testable import Runs
@testable import Training

@Suite struct BestMeasureTests {
    private static func configuration(_ overrides: [String], tasks: String) throws -> RunConfiguration {
        try RunConfiguration.load(
            yaml: "model: t5\ndata: {glue: g}\ntasks: \(tasks)\n", name: "run.yaml", directory: "/",
            overrides: overrides)
    }

    private static let custom =
        "[{name: t, train: a.tsv, validation: b.tsv, fields: [x], labels: [\"1\", \"0\"], metrics: [f1]}]"

    private static func measure(
        _ overrides: [String] = [], tasks: String = custom
    ) throws -> (measure: BestMeasure, configuration: RunConfiguration) {
        let configuration = try configuration(overrides, tasks: tasks)
        return (BestMeasure(configuration, try configuration.definitions()), configuration)
    }

    @Test(
        arguments: [
            (["eval.split=test"], "eval.split was validation and is test"),
            (["eval.maxExamples=5"], "eval.maxExamples was null and is 5"),
            (["eval.maxNewTokens=5"], "eval.maxNewTokens was null and is 5"),
            (
                ["checkpoint.best=taskMean", "eval.split=test"],
                "checkpoint.best was average and is taskMean, eval.split was validation and is test"
            ), (["eval.batch=2"], nil), (["eval.ranks=all"], nil),
        ] as [([String], String?)])
    func `what decides the figures that choose is named where it differs`(overrides: [String], says: String?) throws {
        let (old, new) = (try Self.measure(), try Self.measure(overrides))
        #expect(new.measure.difference(from: old.measure.text, earlier: nil) == says)
        #expect(new.measure.difference(from: new.measure.text, earlier: nil) == nil)
    }

    @Test func `F1 of another label does not compare`() throws {
        let asked = Self.custom.replacing("metrics: [f1]", with: "metrics: [f1], positive: \"0\"")
        let (old, new) = (try Self.measure(), try Self.measure(tasks: asked))
        #expect(
            new.measure.difference(from: old.measure.text, earlier: nil)
                == "the positive labels of f1 was t: 1 and is t: 0")
    }

    /// They contain only split and mean, and their F1 is computed for the second label.
    @Test func `measures of earlier versions are completed from the configuration of the job before`() throws {
        let accuracy = Self.custom.replacing("f1", with: "accuracy")
        let (present, same) = try Self.measure(tasks: accuracy)
        #expect(present.difference(from: "validation average", earlier: same) == nil)
        #expect(present.difference(from: "validation average", earlier: nil) != nil)
        #expect(present.difference(from: "test average", earlier: same) == "test average was asked for")
        let few = try Self.configuration(["eval.maxExamples=3"], tasks: accuracy)
        #expect(
            present.difference(from: "validation average", earlier: few) == "eval.maxExamples was 3 and is null")
        let (f1, configuration) = try Self.measure()
        #expect(
            f1.difference(from: "validation average", earlier: configuration)
                == "the positive labels of f1 was t: 0 and is t: 1")
    }

    private static func record(figures: Int = 3) -> EvaluationRecord {
        EvaluationRecord(
            step: 1, split: "validation", average: 0, averagedFigures: figures, averageOverTasks: 0, tasks: [:],
            timing: EvaluationRecord.Timing(seconds: 1, examplesPerSecond: 1))
    }

    /// No later value would be greater than a NaN.
    @Test func `what is no number, or a mean of nothing, is never the best`() {
        let best = RunState.Best(step: 1, value: 0.5, measure: "m")
        #expect(BestMeasure.isBest(0.6, of: Self.record(), beside: best))
        #expect(!BestMeasure.isBest(0.5, of: Self.record(), beside: best))
        #expect(BestMeasure.isBest(-0.5, of: Self.record(), beside: nil))
        for value in [Double.nan, .infinity] {
            #expect(!BestMeasure.isBest(value, of: Self.record(), beside: nil))
            #expect(!BestMeasure.isBest(value, of: Self.record(), beside: best))
        }
        #expect(!BestMeasure.isBest(0, of: Self.record(figures: 0), beside: nil))
    }
}
