import Kernels
import Runs

extension MetricsAccumulator {
    /// Adds the sums of a step; if the step was left out, only counts it.
    package mutating func add(_ result: StepResult) {
        learningRate = result.learningRate
        guard !result.isSkipped else {
            skipped = (skipped ?? 0) + 1
            return
        }
        for (i, sums) in result.tasks.enumerated() {
            tasks[i].loss += FixedPoint.value(sums.lossQuanta)
            tasks[i].tokens += sums.tokens
            tasks[i].examples += sums.examples
            tasks[i].sourceTokens += sums.sourceTokens
        }
        steps += 1
        gradientNormSum += result.gradientNorm
    }
}
