package import Adapters
package import Checkpoints
package import Failures
package import Foundation
import MPI
package import Runs
import Synchronization
package import Tensors

/// The checkpoints that a run makes from its snapshots. Every rank has this object, since any rank must be able to save its
/// last step when the others cannot.
package final class RunCheckpoints: @unchecked Sendable {
    /// What all checkpoints of the run have in common.
    package struct Constants: Sendable {
        var adapter: AdapterConfiguration
        var layout: ParameterLayout
        /// The weights that training changes.
        var trained: TrainedParameters
        /// The other files of the model, for a method that trains all of its tensors; else nil.
        var modelFiles: [String: Data]?
        /// What the adapter's directory needs to be of use alone.
        var description: AdapterDescription
        var identity: RunState.Identity
        var libraries: [String: String]
        var seed: UInt64
        var steps: Int
        /// Number of newest checkpoints that are kept, in addition to the best.
        var keep: Int
        /// The files with which the steps were computed.
        var inputs: MappedInputs

        /// Creates the values.
        package init(
            adapter: AdapterConfiguration, layout: ParameterLayout, trained: TrainedParameters,
            modelFiles: [String: Data]?, description: AdapterDescription, identity: RunState.Identity,
            libraries: [String: String], seed: UInt64, steps: Int, keep: Int, inputs: MappedInputs
        ) {
            self.adapter = adapter
            self.layout = layout
            self.trained = trained
            self.modelFiles = modelFiles
            self.description = description
            self.identity = identity
            self.libraries = libraries
            self.seed = seed
            self.steps = steps
            self.keep = keep
            self.inputs = inputs
        }
    }

    package let store: CheckpointStore
    let snapshots = Snapshots()
    private let constants: Constants
    private let run: RunDirectory
    /// On rank 0 of a run that keeps its snapshot in a file; only the training thread uses it.
    private var file: SnapshotFile?
    /// The number of the newest snapshot that is on the disk.
    private let saved = Mutex(0)

    package init(store: CheckpointStore, constants: Constants, run: RunDirectory) {
        self.run = run
        self.store = store
        self.constants = constants
    }

    /// From now on snapshots are also kept in a file; call it before the first snapshot.
    package func keep(in file: SnapshotFile) { self.file = file }

    /// Whether snapshots are also kept in a file, which the next steps overwrite.
    var isInFile: Bool { file != nil }

    /// Keeps a completed step as the newest snapshot.
    package func keep(_ trained: TrainState, _ progress: RunProgress) throws(Failure) {
        let state = RunState(
            step: trained.step, steps: constants.steps, seed: constants.seed, identity: constants.identity,
            best: progress.best, owesEvaluation: progress.owesEvaluation, accumulator: progress.accumulator,
            record: progress.record, interference: progress.interference, averageCounts: trained.averages?.counts,
            libraries: constants.libraries,
            skippedInARow: trained.skippedInARow > 0 ? trained.skippedInARow : nil)
        snapshots.keep(trained, state)
        guard let file else { return }
        try run.owner.check()
        // The next start would continue from this file, so the inputs are checked first.
        try checkInputs()
        let arenas = [trained.weights, trained.mean, trained.square] + (trained.averages?.arenas ?? [])
        try file.write(state, arenas.map(\.readOnly))
    }

    /// Makes a checkpoint from a snapshot that an earlier job of the run left in a file; returns its step.
    package func save(_ left: (state: RunState, arenas: [Arena])) throws(Failure) -> Int {
        try save(left.state, left.arenas[0], left.arenas[1], left.arenas[2], Array(left.arenas[3...]))
        return left.state.step
    }

    /// Saves the newest snapshot unless it is on the disk already; returns its step, nil when there is none.
    package func saveNewest() throws(Failure) -> Int? {
        // If another rank's input has changed, its gradients are part of the newest step on every node.
        if let status = RunStatus.read(run), status.state == .failed, status.exitCode == ExitCode.badData.rawValue {
            throw Failure(.badData, "another rank has met a changed input, so \(distrust)")
        }
        guard let snapshot = snapshots.take() else { return nil }
        defer { snapshots.release(snapshot) }
        try saveBest(of: snapshot.state)
        if saved.withLock({ $0 }) < snapshot.number { try save(snapshot) }
        return snapshot.state.step
    }

    /// Saves the snapshot of the best evaluation if its checkpoint was not finished.
    private func saveBest(of state: RunState) throws(Failure) {
        guard let best = state.best, best.step != state.step, let snapshot = snapshots.takeBest() else { return }
        defer { snapshots.release(snapshot) }
        guard snapshot.state.step == best.step, (try? store.open(.step(best.step))) == nil else { return }
        try save(snapshot)
    }

    /// Writes a snapshot as a checkpoint, points `best` to it if it is the best, and removes the oldest checkpoints.
    func save(_ snapshot: Snapshot) throws(Failure) {
        try save(
            snapshot.state, snapshot.weights, snapshot.mean, snapshot.square, snapshot.averages?.arenas ?? [])
        saved.withLock { $0 = max($0, snapshot.number) }
    }

    /// Throws `badData` when a file with which the steps were computed has changed since then.
    func checkInputs() throws(Failure) {
        do throws(Failure) {
            try constants.inputs.check(distrust)
        } catch {
            // These files hold steps that cannot be trusted, and the next start would continue from them.
            if (try? run.owner.check()) != nil { SnapshotFile.remove(run) }
            throw error
        }
    }

    /// Like `checkInputs`, for all ranks; collective.
    func checkInputs(on world: Communicator) throws(Failure) {
        try world.rankZeroFirst { () throws(Failure) in try checkInputs() }
        // A rank whose check fails ends the job instead of coming here.
        if world.size > 1 { try world.barrier() }
    }

    /// What cannot be trusted after an input has changed, and what to do.
    private var distrust: String {
        guard let last = (try? store.steps())?.max() else {
            return "nothing that was computed can be trusted; restore it and start again"
        }
        return "the steps after checkpoint \(last) cannot be trusted; restore it and start again to continue from there"
    }

    /// The averages of those tasks that have one, by the tasks' names.
    private func averages(_ state: RunState, _ arenas: [Arena]) -> [String: ReadOnlyArena]? {
        guard let counts = state.averageCounts, counts.count == arenas.count, let names = constants.adapter.taskNames,
            names.count == counts.count, counts.contains(where: { $0 > 0 })
        else { return nil }
        let known = names.indices.filter { counts[$0] > 0 }.map { (names[$0], arenas[$0].readOnly) }
        return Dictionary(uniqueKeysWithValues: known)
    }

    private func save(
        _ state: RunState, _ weights: Arena, _ mean: Arena, _ square: Arena, _ averages: [Arena]
    ) throws(Failure) {
        try run.owner.check()
        // This also runs when a dying job saves its last step.
        try checkInputs()
        do throws(Failure) {
            try store.save(
                CheckpointContents(
                    step: state.step,
                    adapterConfiguration: try StableJSON.document(constants.adapter, "the adapter's configuration"),
                    state: try state.encoded(), layout: constants.layout, momentLayout: constants.trained.layout,
                    weights: weights.readOnly, firstMoments: mean.readOnly, secondMoments: square.readOnly,
                    averages: self.averages(state, averages),
                    modelFiles: constants.modelFiles,
                    adapterFiles: [AdapterDescription.fileName: try constants.description.json()],
                    dependsOn: constants.libraries))
        } catch {
            // If another job has taken the directory over, it removes what this one has half written.
            try run.owner.checkNow()
            throw error
        }
        // This comes before old checkpoints are removed: the rank that saved the best one may have died before it set the link.
        if let best = state.best, try store.steps().contains(best.step), store.step(of: .best) != best.step {
            try store.point(.best, at: best.step)
        }
        try store.prune(keepingNewest: constants.keep)
    }
}

/// What a step leaves in addition to weights and moments, for a run that continues from it.
package struct RunProgress: Equatable {
    /// The best evaluation so far.
    var best: RunState.Best?
    /// Whether the evaluation that is due at this step must still be made.
    var owesEvaluation = false
    /// Sums since the last line of `metrics.jsonl`.
    var accumulator: MetricsAccumulator
    /// The line of `metrics.jsonl` about this step, if it has one: the process that should write it may have been killed before
    /// it did.
    var record: TrainRecord?
    /// The line about the tasks' gradients at this step, in the same way.
    var interference: InterferenceRecord?

    /// Creates the progress of a run.
    package init(
        best: RunState.Best? = nil, owesEvaluation: Bool = false, accumulator: MetricsAccumulator,
        record: TrainRecord? = nil, interference: InterferenceRecord? = nil
    ) {
        self.best = best
        self.owesEvaluation = owesEvaluation
        self.accumulator = accumulator
        self.record = record
        self.interference = interference
    }
}
