package import Failures
package import Foundation
package import Tasks
import Tensors

/// `state.json` of a checkpoint: what a resumed run needs in addition to weights and moments, and what it must agree with.
package struct RunState: Codable, Equatable {
    /// The best evaluation so far.
    package struct Best: Codable, Equatable {
        package var step: Int
        package var value: Double
        /// `BestMeasure.text`: defines the value; values with another measure cannot be compared.
        package var measure: String

        /// Creates the best evaluation.
        package init(step: Int, value: Double, measure: String) {
            self.step = step
            self.value = value
            self.measure = measure
        }
    }

    /// Everything that must be the same so that a run can be continued bit for bit.
    package struct Identity: Codable, Equatable {
        /// The part of the configuration that decides the result, as text.
        package var configuration: String
        /// Digest of the trainables' names, shapes and order.
        package var layout: String
        /// Digest of the backbone's shape and weights.
        package var backbone: String
        /// Digest of the tokenised data.
        package var data: String
        /// Digest of the vocabulary; nil in states of earlier versions.
        package var vocabulary: String?
        /// The rows and files of the tokenised data, to name what has changed; nil in states of earlier versions.
        package var sources: [TaskSources]?
        /// Digest of the adapter with which the run began; nil for a random start.
        package var origin: String?
        /// The tasks that this adapter does not have, if of what belongs to tasks only that of these is trained; else nil.
        package var newTasks: [String]?

        /// Creates an identity.
        package init(
            configuration: String, layout: String, backbone: String, data: String, vocabulary: String? = nil,
            sources: [TaskSources]? = nil, origin: String? = nil, newTasks: [String]? = nil
        ) {
            self.configuration = configuration
            self.layout = layout
            self.backbone = backbone
            self.data = data
            self.vocabulary = vocabulary
            self.sources = sources
            self.origin = origin
            self.newTasks = newTasks
        }
    }

    /// The format that this version writes and reads.
    static let format = 1
    /// The largest possible `train.steps`.
    static let mostSteps = 4_294_967_295

    var format = Self.format
    package var step: Int
    var steps: Int
    package var seed: UInt64
    package var identity: Identity
    package var best: Best?
    /// Whether the evaluation that is due at this step must still be made.
    package var owesEvaluation: Bool
    /// Sums since the last line of `metrics.jsonl`.
    package var accumulator: MetricsAccumulator
    /// The line of `metrics.jsonl` about this step, if it has one; it is written again if it is missing.
    package var record: TrainRecord?
    /// The line of `metrics.jsonl` about how the tasks' gradients go together at this step, if it has one.
    package var interference: InterferenceRecord?
    /// How many steps have changed the running average of each task's gradient; nil if the run keeps none.
    package var averageCounts: [Int]?
    /// What else the bits depend on; a difference is reported.
    package var libraries: [String: String]
    /// How many of the last steps in a row were left out; nil for none.
    package var skippedInARow: Int?

    package func encoded() throws(Failure) -> Data {
        try StableJSON.document(self, "the state of the run")
    }

    package init(
        step: Int, steps: Int, seed: UInt64, identity: Identity, best: Best?, owesEvaluation: Bool,
        accumulator: MetricsAccumulator, record: TrainRecord? = nil, interference: InterferenceRecord? = nil,
        averageCounts: [Int]? = nil, libraries: [String: String], skippedInARow: Int? = nil
    ) {
        self.step = step
        self.steps = steps
        self.seed = seed
        self.identity = identity
        self.best = best
        self.owesEvaluation = owesEvaluation
        self.accumulator = accumulator
        self.record = record
        self.interference = interference
        self.averageCounts = averageCounts
        self.libraries = libraries
        self.skippedInARow = skippedInARow
    }

    /// The state of a run's last checkpoint, without a look at the checkpoint's other files; nil when there is none to be read.
    package static func last(of run: RunDirectory) -> RunState? {
        let path = run.path(of: .checkpoints) + "/last"
        return try? RunState(BoundedJSON.content(of: path + "/state.json", followingLinks: false), path: path)
    }

    /// Reads a checkpoint's state; `path` is for messages. No computation with an accepted state overflows.
    package init(_ data: Data, path: String) throws(Failure) {
        guard let state = try? BoundedJSON.decode(RunState.self, from: data), state.format == Self.format else {
            throw Failure(.badData, "\(path): state.json is not a state of this program; use another checkpoint")
        }
        let numbers =
            [state.step, state.steps, state.best?.step ?? 0, state.skippedInARow ?? 0] + (state.averageCounts ?? [])
        guard numbers.allSatisfy({ (0...Self.mostSteps).contains($0) }),
            state.accumulator.isPossible(within: Self.mostSteps)
        else {
            throw Failure(.badData, "\(path): state.json has a number that no run has; use another checkpoint")
        }
        self = state
    }
}
