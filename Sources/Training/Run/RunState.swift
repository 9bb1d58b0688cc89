import Configuration
import Failures
import Foundation
import Tasks
import Tensors

/// `state.json` of a checkpoint: what a resumed run needs beside weights and moments, and what it must agree with.
struct RunState: Codable, Equatable {
    /// A good evaluation.
    struct Best: Codable, Equatable {
        var step: Int
        var value: Double
        /// `BestMeasure.text`: what the value is of; values of others do not compare.
        var measure: String
    }

    /// What must be the same for a run to be continued bit for bit.
    struct Identity: Codable, Equatable {
        /// The part of the configuration that decides the result, as text.
        var configuration: String
        /// Digest of the trainables' names, shapes and order.
        var layout: String
        /// Digest of the backbone's shape and weights.
        var backbone: String
        /// Digest of the tokenised data.
        var data: String
        /// Digest of the vocabulary; nil in states of earlier versions.
        var vocabulary: String?
        /// Which rows of which files the tokenised data is of, to name what has changed; nil in states of earlier versions.
        var sources: [TaskSources]?
    }

    /// The layout that this version writes and reads.
    static let format = 1
    /// As many as `train.steps` may be.
    static let mostSteps = 4_294_967_295

    var format = Self.format
    var step: Int
    var steps: Int
    var seed: UInt64
    var identity: Identity
    var best: Best?
    /// Whether the evaluation that is due at this step is still to be made.
    var owesEvaluation: Bool
    /// Sums since the last line of `metrics.jsonl`.
    var accumulator: MetricsAccumulator
    /// The line of `metrics.jsonl` about this very step, if it has one; written again where it is missing.
    var record: TrainRecord?
    /// What the bits also depend on; reported when it differs.
    var libraries: [String: String]
    /// How many of the last steps in a row were left out; nil for none.
    var skippedInARow: Int?

    func encoded() throws(Failure) -> Data {
        try StableJSON.document(self, "the state of the run")
    }

    init(
        step: Int, steps: Int, seed: UInt64, identity: Identity, best: Best?, owesEvaluation: Bool,
        accumulator: MetricsAccumulator, record: TrainRecord? = nil, libraries: [String: String],
        skippedInARow: Int? = nil
    ) {
        self.step = step
        self.steps = steps
        self.seed = seed
        self.identity = identity
        self.best = best
        self.owesEvaluation = owesEvaluation
        self.accumulator = accumulator
        self.record = record
        self.libraries = libraries
        self.skippedInARow = skippedInARow
    }

    /// Reads a checkpoint's state; `path` is for the message. Nothing that is computed from an accepted one overflows.
    init(_ data: Data, path: String) throws(Failure) {
        guard let state = try? BoundedJSON.decode(RunState.self, from: data), state.format == Self.format else {
            throw Failure(.badData, "\(path): state.json is not a state of this program; use another checkpoint")
        }
        let numbers = [state.step, state.steps, state.best?.step ?? 0, state.skippedInARow ?? 0]
        guard numbers.allSatisfy({ (0...Self.mostSteps).contains($0) }), state.accumulator.isPossible else {
            throw Failure(.badData, "\(path): state.json has a number that no run has; use another checkpoint")
        }
        self = state
    }
}
