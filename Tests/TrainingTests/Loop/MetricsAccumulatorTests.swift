import Testing

@testable import Runs
@testable import Training

@Suite struct MetricsAccumulatorTests {
    @Test func `losses of very many steps do not overflow`() throws {
        var sums = MetricsAccumulator(tasks: 1)
        let most = StepResult.TaskSums(lossQuanta: 1 << 61, tokens: 1, examples: 1, sourceTokens: 1)
        for _ in 0..<100 {
            sums.add(StepResult(tasks: [most], gradientNorm: 1, learningRate: 1, stop: nil))
        }
        #expect(sums.loss == 0x1p21)
    }

    @Test func `a line holds means over the label tokens since the line before`() throws {
        var sums = MetricsAccumulator(tasks: 2)
        var one = StepResult.TaskSums()
        one.lossQuanta = 6 << 40
        one.tokens = 3
        one.examples = 2
        sums.add(
            StepResult(tasks: [one, StepResult.TaskSums()], gradientNorm: 1, learningRate: 0.5, stop: nil))
        one.lossQuanta = 3 << 40
        one.tokens = 6
        sums.add(StepResult(tasks: [one, one], gradientNorm: 3, learningRate: 0.25, stop: nil))
        let record = sums.record(step: 2, names: ["a", "b"], seconds: 2)
        #expect(record.loss == 12.0 / 15)
        #expect(record.tasks["a"] == TrainRecord.Task(loss: 1, tokens: 9, examples: 4))
        #expect(record.tasks["b"] == TrainRecord.Task(loss: 0.5, tokens: 6, examples: 2))
        #expect(record.gradientNorm == 2)
        #expect(record.learningRate == 0.25)
        #expect(record.timing.examplesPerSecond == 3)
    }
}
