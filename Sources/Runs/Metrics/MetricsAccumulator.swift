/// Sums since the last line of `metrics.jsonl`. They are part of the checkpoint, so that a resumed run writes the same lines.
///
/// One step's loss is exact in quanta, but the sum over many steps may not fit. So losses are added as `Double`s step by step,
/// in the same order in every run.
package struct MetricsAccumulator: Codable, Equatable {
    /// Sums of one task.
    package struct Task: Codable, Equatable {
        package var loss = 0.0
        package var tokens: Int64 = 0
        package var examples: Int64 = 0
        package var sourceTokens: Int64 = 0
    }

    package var tasks: [Task]
    package var steps = 0
    /// Number of steps that were left out; nil for none.
    package var skipped: Int?
    package var gradientNormSum = 0.0
    package var learningRate = 0.0

    /// Whether these can be the sums of a run of at most `mostSteps` steps; if so, later additions do not overflow.
    func isPossible(within mostSteps: Int) -> Bool {
        let counts = tasks.flatMap { [$0.tokens, $0.examples, $0.sourceTokens] }
        return [steps, skipped ?? 0].allSatisfy { (0...mostSteps).contains($0) }
            && counts.allSatisfy { (0...(1 << 40)).contains($0) }
    }

    package init(tasks count: Int) {
        tasks = Array(repeating: Task(), count: count)
    }

    /// Number of label and source tokens.
    var tokenCount: Int64 { tasks.reduce(0) { $0 + $1.tokens + $1.sourceTokens } }
    var exampleCount: Int64 { tasks.reduce(0) { $0 + $1.examples } }

    /// Mean loss over the label tokens.
    package var loss: Double { Self.mean(tasks) }

    /// The line for the steps since the previous line, which took `seconds`.
    package func record(step: Int, names: [String], seconds: Double) -> TrainRecord {
        var perTask: [String: TrainRecord.Task] = [:]
        for (name, sums) in zip(names, tasks) where sums.examples > 0 {
            perTask[name] = TrainRecord.Task(loss: Self.mean([sums]), tokens: sums.tokens, examples: sums.examples)
        }
        let timing = TrainRecord.Timing(
            seconds: seconds, examplesPerSecond: Double(exampleCount) / max(seconds, 1e-9),
            tokensPerSecond: Double(tokenCount) / max(seconds, 1e-9))
        return TrainRecord(
            step: step, loss: loss, learningRate: learningRate, gradientNorm: gradientNormSum / Double(max(steps, 1)),
            examples: exampleCount, tokens: tasks.reduce(0) { $0 + $1.tokens }, skippedSteps: skipped, tasks: perTask,
            timing: timing)
    }

    private static func mean(_ sums: [Task]) -> Double {
        let tokens = sums.reduce(0) { $0 + $1.tokens }
        return tokens == 0 ? 0 : sums.reduce(0) { $0 + $1.loss } / Double(tokens)
    }
}
