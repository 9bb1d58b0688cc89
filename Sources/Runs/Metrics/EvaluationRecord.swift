package import Tasks

/// One line of `metrics.jsonl` about an evaluation; also the content of `evaluation-<split>.json`, which has more keys, so that
/// it is complete without the run (docs/evaluating.md). Files of earlier versions do not have them.
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
        /// In files: the figures of always giving one answer.
        package var baseline: [String: Double]?
        /// In files: where this answer is the most frequent one: `train`, or the split itself.
        package var baselineOf: String?
        /// In files: the run's task in whose place another one was evaluated; nil for a task of the run.
        package var standsFor: String?
        /// In files: the source text with its fields.
        package var template: String?
        /// In files: all splits of the task, of which one was evaluated.
        package var splits: [Split]?
    }

    /// The rows of a task's split.
    package struct Split: Codable, Equatable {
        package var split: String
        /// The rule: which rows of the files, or of the training files.
        package var rows: String
        package var files: [TaskSources.File]
        package var examples: Int

        package init(split: String, rows: String, files: [TaskSources.File], examples: Int) {
            (self.split, self.rows, self.files, self.examples) = (split, rows, files, examples)
        }
    }

    /// The checkpoint whose figures these are.
    package struct Checkpoint: Codable, Equatable {
        package var step: Int
        /// Digest of the adapter's weights.
        package var digest: String?

        package init(step: Int, digest: String?) { (self.step, self.digest) = (step, digest) }
    }

    /// The frozen model.
    package struct Model: Codable, Equatable {
        /// Digest of its shape and weights.
        package var digest: String
        /// Digest of its vocabulary.
        package var vocabulary: String

        package init(digest: String, vocabulary: String) { (self.digest, self.vocabulary) = (digest, vocabulary) }
    }

    /// The program that evaluated.
    package struct Program: Codable, Equatable {
        package var version: String
        package var commit: String

        /// The running one.
        package static var current: Program {
            Program(version: ProgramVersion.current, commit: ProgramVersion.commit ?? "unknown")
        }
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
    /// In files: the method, the seed of the training, that of the splits, and the run's tasks in the order of their ids.
    package var method: String?
    package var seed: UInt64?
    package var splitSeed: UInt64?
    /// In files: the value of `data.glueSplits` if a task of the run is a benchmark's.
    package var glueSplits: String?
    package var runTasks: [String]?
    package var checkpoint: Checkpoint?
    package var model: Model?
    package var program: Program?
    /// In files: what computed, by part, as in `environment.json`; rank 0's.
    package var libraries: [String: String]?
    /// In files written by `evaluate`: the keys that were set for the evaluation, with their values.
    package var settings: [String: String]?
}
