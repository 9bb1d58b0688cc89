import Adapters
import Checkpoints
import Failures
import Foundation
import Kernels
import Tensors

/// What rank 0 writes during a run: metrics, TensorBoard's curves, checkpoints, `STATUS.json` and words on the terminal.
final class RunWriter {
    /// What every checkpoint of the run has in common.
    struct Constants: Sendable {
        var adapter: AdapterConfiguration
        var identity: RunState.Identity
        var libraries: [String: String]
        var seed: UInt64
        var steps: Int
        /// The newest so many checkpoints are kept, beside the best.
        var keep: Int
    }

    let run: RunDirectory
    private let store: CheckpointStore
    private let constants: Constants
    private let metrics: MetricsLog
    private let events: EventFile?
    private(set) var lastDurableStep: Int?
    /// Whether `STATUS.json` is of this job; a failure in it then is another rank's.
    private var hasStarted = false

    /// Opens the run's files at `step`; later lines of `metrics.jsonl` are cut off, and an evaluation of `step` itself
    /// when it is owed. `drawsCurves`: for TensorBoard too.
    init(
        run: RunDirectory, store: CheckpointStore, constants: Constants, step: Int, owesEvaluation: Bool,
        drawsCurves: Bool
    ) throws(Failure) {
        self.run = run
        self.store = store
        self.constants = constants
        metrics = try MetricsLog(path: run.metrics, keepingThrough: step, evaluated: !owesEvaluation)
        events = drawsCurves ? try EventFile(in: run.path, after: step) : nil
        lastDurableStep = step > 0 ? step : nil
        try status(.running, "", step: step)
        hasStarted = true
    }

    /// Appends a line to `metrics.jsonl` and its points to the curves.
    func append(_ record: some Encodable & Drawable) throws(Failure) {
        try metrics.append(record)
        try events?.append(record)
    }

    /// Writes the checkpoint of a state, points `best` at it if it is the best, and removes what is too old.
    func checkpoint(
        _ state: TrainState, best: RunState.Best?, accumulator: MetricsAccumulator, owesEvaluation: Bool
    ) throws(Failure) {
        let runState = RunState(
            step: state.step, steps: constants.steps, seed: constants.seed, identity: constants.identity, best: best,
            owesEvaluation: owesEvaluation, accumulator: accumulator, libraries: constants.libraries)
        let adapter = try StableJSON.document(constants.adapter, "the adapter's configuration")
        // A run that goes on from the checkpoint does not write the lines up to it again.
        try metrics.synchronise()
        try store.save(
            CheckpointContents(
                step: state.step, adapterConfiguration: adapter, state: try runState.encoded(),
                layout: state.layout.parameters, weights: state.weights, firstMoments: state.mean,
                secondMoments: state.square, dependsOn: constants.libraries))
        if best?.step == state.step { try store.point(.best, at: state.step) }
        try store.prune(keepingNewest: constants.keep)
        lastDurableStep = state.step
        try status(.running, "", step: state.step)
    }

    /// Replaces `STATUS.json`.
    func status(_ state: RunStatus.State, _ reason: String, step: Int, exitCode: Int32? = nil) throws(Failure) {
        try RunStatus(
            state: state, reason: reason, exitCode: exitCode, step: step, lastDurableStep: lastDurableStep,
            steps: constants.steps, time: Date().timeIntervalSince1970
        ).write(to: run, keepingFailure: hasStarted)
    }

    /// A line for the user on standard output.
    func say(_ line: String) {
        Terminal.say(line)
    }
}
