/// How fast the parts of a run are on a machine: measured or guessed.
struct RunPace {
    /// What something takes.
    struct Cost: Encodable, Equatable {
        /// Seconds on the clock.
        var seconds = 0.0
        /// Seconds that all cores together compute for it.
        var processorSeconds = 0.0

        static func + (a: Cost, b: Cost) -> Cost {
            Cost(seconds: a.seconds + b.seconds, processorSeconds: a.processorSeconds + b.processorSeconds)
        }

        static func * (factor: Double, cost: Cost) -> Cost {
            Cost(seconds: factor * cost.seconds, processorSeconds: factor * cost.processorSeconds)
        }
    }

    /// From the start of the process to the first step.
    var start: Cost
    /// A unit of the work of a step (`DrawnSteps`), for one worker.
    var unit: Cost
    /// What a step takes in addition, whatever its examples are.
    var step: Cost
    /// An operation of an answer of each task, for one worker.
    var answers: [Cost]
    /// Writing a checkpoint.
    var checkpoint: Cost
    /// Whether the token cache is there, so that the start need not make it.
    var hasTokenCache: Bool
    /// Where the numbers come from, as lines for people.
    var sources: [String]
    /// Whether they were measured.
    var isMeasured: Bool
}
