/// One line of `metrics.jsonl` about an evaluation, and what `evaluation-<split>.json` holds.
package struct EvaluationRecord: Codable, Equatable {
    package struct Task: Codable, Equatable {
        package var figures: [String: Double]
        package var examples: Int
        package var invalidAnswers: Int
        package var undefined: [String]
        /// The label that F1 is of; nil without F1.
        package var positive: String?
    }

    package struct Timing: Codable, Equatable {
        package var seconds: Double
        package var examplesPerSecond: Double
    }

    package var kind = "evaluation"
    package var step: Int
    package var split: String
    /// At most so many random examples of each task were evaluated; nil for all.
    package var maxExamples: Int?
    package var average: Double
    package var averagedFigures: Int
    package var averageOverTasks: Double
    package var tasks: [String: Task]
    package var timing: Timing
    /// In files of `evaluate` and of the end of a run: digest of all that decides the figures beside the adapter.
    package var basis: String?
    /// In files of `evaluate`: what was allowed to be another than in the training, a part of a sentence each.
    package var changed: [String]?
}
