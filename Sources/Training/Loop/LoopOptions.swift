package import Configuration
package import Runs

/// When the loop logs, evaluates and writes checkpoints.
package struct LoopOptions: Sendable {
    /// Steps of the whole run.
    var steps: Int
    /// Steps between lines of `metrics.jsonl`.
    var logEvery: Int
    /// Steps after which lines are written instead; nil to use `logEvery`.
    var logSteps: Set<Int>?
    /// Steps between evaluations; nil for none except the last.
    var evaluateEvery: Int?
    /// Whether the last step is evaluated.
    var evaluatesLast: Bool
    /// Steps between checkpoints, in addition to those at the end and of the best evaluation.
    var checkpointEvery: Int?
    /// When to stop before the end.
    var stop: StopConditions

    /// Creates options.
    package init(
        steps: Int, logEvery: Int, logSteps: Set<Int>? = nil, evaluateEvery: Int? = nil, evaluatesLast: Bool,
        checkpointEvery: Int? = nil, stop: StopConditions
    ) {
        self.steps = steps
        self.logEvery = logEvery
        self.logSteps = logSteps
        self.evaluateEvery = evaluateEvery
        self.evaluatesLast = evaluatesLast
        self.checkpointEvery = checkpointEvery
        self.stop = stop
    }
}

extension LoopOptions {
    /// Those of a run. `logSteps` are the steps after which lines are written, for a replay.
    package init(_ configuration: RunConfiguration, stop: StopConditions = StopConditions(), logSteps: Set<Int>? = nil)
    {
        self.init(
            steps: configuration.steps, logEvery: configuration.logEvery, logSteps: logSteps,
            evaluateEvery: configuration.evaluateEvery, evaluatesLast: configuration.evaluatesAtEnd,
            checkpointEvery: configuration.checkpointEvery, stop: stop)
    }

    /// Whether a step, counted from 1, is evaluated if there is something to evaluate.
    func evaluates(_ step: Int) -> Bool {
        evaluateEvery.map { step % $0 == 0 } ?? false || (step == steps && evaluatesLast)
    }

    /// Whether the checkpoint of a step is due, whatever its evaluation shows.
    func saves(_ step: Int) -> Bool { step == steps || checkpointEvery.map { step % $0 == 0 } ?? false }

    /// How many steps of the run are evaluated.
    package var evaluations: Int {
        let regular = evaluateEvery.map { steps / $0 } ?? 0
        return regular + (evaluatesLast && evaluateEvery.map { steps % $0 != 0 } ?? true ? 1 : 0)
    }

    /// How many steps of the run are saved, not counting those that are saved because they are the best so far.
    package var checkpoints: Int {
        guard let checkpointEvery else { return 1 }
        return steps / checkpointEvery + (steps % checkpointEvery == 0 ? 0 : 1)
    }
}
