package import Checkpoints
package import Configuration
package import Failures
import Foundation
package import MPI
package import Runs
import Tensors

/// Finds, checks and loads the checkpoint that a run continues from.
package struct Resumption {
    let store: CheckpointStore
    let choice: ResumeChoice
    let identity: RunState.Identity
    let libraries: [String: String]
    /// The measure that chooses the best checkpoint from now on.
    let measure: BestMeasure
    /// The configuration that the run directory had before this start; nil for none.
    let earlier: RunConfiguration?
    /// The names of the run's tasks.
    let tasks: [String]
    /// Prints a line for the user; called on rank 0 only.
    let say: (String) -> Void

    /// Creates the search for a checkpoint in `store`, as `choice` says.
    package init(
        store: CheckpointStore, choice: ResumeChoice, identity: RunState.Identity, libraries: [String: String],
        measure: BestMeasure, earlier: RunConfiguration?, tasks: [String], say: @escaping (String) -> Void
    ) {
        self.store = store
        self.choice = choice
        self.identity = identity
        self.libraries = libraries
        self.measure = measure
        self.earlier = earlier
        self.tasks = tasks
        self.say = say
    }

    /// What the loop continues from.
    package struct Resumed {
        package var state: RunState
        /// Whether the checkpoint is in another place, so that this run directory has none yet. On rank 0 only.
        package var isFromElsewhere = false
        /// Remarks about the best checkpoint, for the log of rank 0.
        package var remarks: [String] = []
    }

    /// Loads weights, moments and step into `state`, also for a fresh start; collective. Rank 0 reads, and all ranks get the
    /// same bytes. Returns nil for a fresh start.
    package func load(_ state: TrainState, world: Communicator) throws(Failure) -> Resumed? {
        var resumed: Resumed?
        var bytes: [UInt8] = []
        if world.rank == 0, let checkpoint = try find() {
            var loaded = try RunState(checkpoint.state(), path: checkpoint.path)
            try loaded.identity.refuseDifference(from: identity, path: checkpoint.path)
            guard loaded.step == checkpoint.step else {
                throw Failure(.badData, "\(checkpoint.path): state.json is of another step; use another checkpoint")
            }
            guard loaded.accumulator.tasks.count == tasks.count else {
                throw Failure(
                    .badData,
                    "\(checkpoint.path): state.json has sums of \(loaded.accumulator.tasks.count) tasks, but the run has "
                        + "\(tasks.count); use another checkpoint")
            }
            try checkpoint.loadWeights(state.parameters, into: state.weights)
            try checkpoint.loadMoments(state.trained.layout, first: state.mean, second: state.square)
            state.step = loaded.step
            if loaded.averageCounts != nil { loaded.averageCounts = try averageCounts(of: checkpoint, loaded, state) }
            let isFromElsewhere = !store.holds(checkpoint)
            // In that case a checkpoint of the same step in this directory belongs to another course of training.
            try store.supersede(after: isFromElsewhere ? loaded.step - 1 : loaded.step)
            let (best, remark) = try settleBest(loaded.best, isFromElsewhere: isFromElsewhere)
            loaded.best = best
            reportDifferences(loaded)
            say("resuming from \(checkpoint.path) at step \(loaded.step)")
            if let remark { say("note: \(remark)") }
            resumed = Resumed(
                state: loaded, isFromElsewhere: isFromElsewhere, remarks: remark.map { [$0] } ?? [])
            bytes = Array(try loaded.encoded())
        }
        bytes = try world.broadcast(bytes, from: 0)
        // A fresh start is shared too: another library on another node may round a start value differently.
        for arena in [state.weights, state.mean, state.square] + (state.averages?.arenas ?? []) {
            try unsafe world.broadcast(UnsafeMutableRawBufferPointer(arena.elements), from: 0)
        }
        guard !bytes.isEmpty else { return nil }
        if resumed == nil { resumed = Resumed(state: try RunState(Data(bytes), path: store.directory)) }
        state.step = resumed?.state.step ?? 0
        state.skippedInARow = resumed?.state.skippedInARow ?? 0
        if let counts = resumed?.state.averageCounts { state.averages?.restore(counts: counts) }
        return resumed
    }

    /// Loads the running averages of the tasks' gradients; returns the number of steps in each, nil if the run keeps none now. An
    /// average that the checkpoint lacks begins anew.
    private func averageCounts(
        of checkpoint: Checkpoint, _ loaded: RunState, _ state: TrainState
    ) throws(Failure) -> [Int]? {
        guard let averages = state.averages, let counts = loaded.averageCounts, counts.count == tasks.count else {
            return nil
        }
        var found: [Int] = []
        for (task, name) in tasks.enumerated() {
            let mayBe = counts[task] > 0
            let isThere = mayBe ? try checkpoint.loadAverage(of: name, into: averages.arenas[task]) : false
            found.append(isThere ? counts[task] : 0)
        }
        return found
    }

    /// Makes the link `best` match the state, since a process may have been killed between writing the two. If later
    /// evaluations cannot be compared with the best one, that one is discarded with a message.
    private func settleBest(
        _ best: RunState.Best?, isFromElsewhere: Bool
    ) throws(Failure) -> (best: RunState.Best?, remark: String?) {
        guard var best else {
            try store.remove(.best)
            return (nil, nil)
        }
        var reason: String?
        if isFromElsewhere {
            reason = "belongs to the other run directory"
        } else if let difference = measure.difference(from: best.measure, earlier: earlier) {
            reason =
                "cannot be compared with what is evaluated now (\(difference)); its checkpoint is removed later, like others"
        } else if (try? store.open(.step(best.step))) == nil {
            reason = "is not here any more, or is damaged"
        }
        guard let reason else {
            best.measure = measure.text
            try store.point(.best, at: best.step)
            return (best, nil)
        }
        try store.remove(.best)
        let value = String(format: "%.2f", 100 * best.value)
        return (
            nil,
            "the best checkpoint so far, step \(best.step) with \(value), \(reason); from here on the best is chosen anew"
        )
    }

    private func find() throws(Failure) -> Checkpoint? {
        switch choice {
        case .never:
            guard try store.steps().isEmpty else {
                throw Failure(
                    .usage,
                    "\(store.directory) already holds checkpoints, which --resume never would overwrite; choose another "
                        + "--out or --resume auto")
            }
            return nil
        case .auto:
            let (checkpoint, refusals) = try store.newestIntact()
            for refusal in refusals { say("refused \(refusal.path): \(refusal.reason)") }
            if checkpoint == nil, let refusal = refusals.first {
                throw Failure(
                    .badData,
                    "no checkpoint in \(store.directory) is intact (\(refusal.reason)); use --resume never with "
                        + "another --out to start anew")
            }
            return checkpoint
        case .checkpoint(let name):
            return try store.open(CheckpointStore.Selection(named: name))
        }
    }

    private func reportDifferences(_ loaded: RunState) {
        for (name, version) in loaded.libraries.sorted(by: { $0.key < $1.key }) where libraries[name] != version {
            say(
                "note: \(name) was \(version) and is \(libraries[name] ?? "absent"): the bits may differ from here on")
        }
    }
}
