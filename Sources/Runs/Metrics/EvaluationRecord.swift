package import Tasks

/// One line of `metrics.jsonl` about an evaluation; also the content of `evaluation-<split>.json`.
package struct EvaluationRecord: Codable, Equatable {
    package struct Task: Codable, Equatable {
        package var figures: [String: Double]
        package var examples: Int
        package var invalidAnswers: Int
        package var undefined: [String]
        /// The label for which F1 is computed; nil without F1.
        package var positive: String?
        /// In files written by `evaluate` and at the end of a run: the figures of every label, in class order; nil for a task without
        /// labels.
        package var labels: [LabelScores]?
    }

    package struct Timing: Codable, Equatable {
        package var seconds: Double
        package var examplesPerSecond: Double
    }

    package var kind = "evaluation"
    package var step: Int
    package var split: String
    /// At most this many random examples of each task were evaluated; nil for all.
    package var maxExamples: Int?
    package var average: Double
    package var averagedFigures: Int
    package var averageOverTasks: Double
    package var tasks: [String: Task]
    package var timing: Timing
    /// In files written by `evaluate` and at the end of a run: digest of everything besides the adapter that decides the
    /// figures.
    package var basis: String?
    /// In files written by `evaluate`: what was allowed to differ from the training, each as a part of a sentence.
    package var changed: [String]?
}
