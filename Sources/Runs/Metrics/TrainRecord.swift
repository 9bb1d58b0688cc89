/// One line of `metrics.jsonl` about training: means over the steps since the previous line.
///
/// Everything except `timing` is deterministic: equal for every number of ranks, threads and interruptions.
package struct TrainRecord: Codable, Equatable {
    package struct Task: Codable, Equatable {
        package var loss: Double
        package var tokens: Int64
        package var examples: Int64
    }

    package struct Timing: Codable, Equatable {
        package var seconds: Double
        package var examplesPerSecond: Double
        package var tokensPerSecond: Double

        /// Creates times.
        package init(seconds: Double, examplesPerSecond: Double, tokensPerSecond: Double) {
            self.seconds = seconds
            self.examplesPerSecond = examplesPerSecond
            self.tokensPerSecond = tokensPerSecond
        }
    }

    package var kind = "train"
    package var step: Int
    package var loss: Double
    package var learningRate: Double
    package var gradientNorm: Double
    package var examples: Int64
    package var tokens: Int64
    /// Number of these steps that were left out because they were not finite; nil for none.
    package var skippedSteps: Int?
    package var tasks: [String: Task]
    package var timing: Timing
}
