import Backbone
import Checkpoints
package import Configuration
package import Failures
import MPI
package import Runs
package import Tensors

/// What a run begins with, or began with; rank 0 has the adapter, all ranks the digest.
package struct RunOrigin {
    /// Nil on other ranks, and for a run that has begun: it does not need the adapter any more.
    let adapter: Origin?
    package let digest: String
    /// The tasks that it does not have, if of what belongs to tasks only that of these is trained (`hyper.onlyNewTasks`); else nil.
    package let newTasks: [String]?
    /// Where the adapter is or was, for the run's record. Empty on other ranks.
    package let path: String
}

extension RunConfiguration {
    /// The tasks that the run's origin does not have, if only these are trained of the hypernetwork (`hyper.onlyNewTasks`); else
    /// nil. It reads the origin, for use before the run has begun.
    package func newTasks() throws(Failure) -> [String]? {
        guard trainsOnlyNewTasks, let origin else { return nil }
        return try newTasks(in: Origin(directory: origin))
    }

    /// The same for an opened origin. Refuses one that has all tasks of the run.
    func newTasks(in origin: Origin) throws(Failure) -> [String]? {
        guard trainsOnlyNewTasks else { return nil }
        try origin.checkMethod(method)
        let names = tasks.map(\.name)
        let new = zip(names, try origin.places(of: names)).filter { $0.1 == nil }.map(\.0)
        guard new.isEmpty else { return new }
        throw Failure(
            .badConfiguration,
            "hyper.onlyNewTasks: \(origin.path) has all tasks of the run (\(names.joined(separator: ", "))), so there is no new one "
                + "to train; add a task, or remove the key")
    }
}

extension RunModel {
    /// Begins with, or goes on from, an opened origin: from now on the run's identity and what is trained are those of a run with
    /// it.
    package mutating func take(_ origin: RunOrigin) throws(Failure) {
        (self.origin, newTasks) = (origin.digest, origin.newTasks)
        guard let newTasks else { return }
        made = try configuration.method(model.shape, isNew: false, newTasks: newTasks)
    }

    /// Opens the adapter that `init.from` names; nil without that key. Collective.
    ///
    /// A run that has begun keeps its origin: if the newest of its states names one, nothing is read, and another `init.from` than
    /// that of its beginning is refused, unless the adapter there is the same.
    package func openOrigin(of run: RunDirectory, _ choice: ResumeChoice) throws(Failure) -> RunOrigin? {
        // A run that began with an adapter and has no `init.from` now is refused by its identity.
        guard let directory = configuration.origin else { return nil }
        var (adapter, digest, path): (Origin?, String?, String) = (nil, nil, "")
        var newTasks: [String]?
        if world.rank == 0 {
            if let begun = try Self.begunState(of: run, choice) {
                digest = begun.identity.origin
                newTasks = configuration.trainsOnlyNewTasks ? begun.identity.newTasks : nil
                guard !begun.identity.trainsOnlyNewTasks || begun.identity.newTasks != nil else {
                    throw Failure(
                        .badData,
                        "the state of \(run.path) does not say which tasks are new to its origin; use another checkpoint"
                    )
                }
                path = EnvironmentRecord.origin(of: run)?.path ?? directory
                try refuseOther(directory, than: digest, of: run)
            } else {
                let opened = try Origin(directory: directory)
                (adapter, digest, path) = (opened, opened.digest.hexadecimal, opened.path)
                newTasks = try configuration.newTasks(in: opened)
            }
        }
        guard let shared = try world.share(digest, "the digest of the origin") else { return nil }
        return RunOrigin(
            adapter: adapter, digest: shared, newTasks: try world.share(newTasks, "the new tasks"), path: path)
    }

    /// The newest state of a run from which it will go on; nil for a run that begins.
    private static func begunState(of run: RunDirectory, _ choice: ResumeChoice) throws(Failure) -> RunState? {
        let store = CheckpointStore(runDirectory: run.path)
        let checkpoint: Checkpoint?
        switch choice {
        case .never: return nil
        case .auto: checkpoint = try store.newestIntact().checkpoint
        case .checkpoint(let name): checkpoint = try store.open(CheckpointStore.Selection(named: name))
        }
        if let checkpoint { return try RunState(checkpoint.state(), path: checkpoint.path) }
        return SnapshotFile.left(run).newest?.state
    }

    /// Refuses an `init.from` other than that of the run's beginning, unless the adapter there has the same `digest`; nil is that of
    /// a run that began at random.
    private func refuseOther(_ directory: String, than digest: String?, of run: RunDirectory) throws(Failure) {
        let record = try? RunConfiguration.load(file: run.configuration)
        guard digest == nil || (record != nil && record?.origin != directory) else { return }
        if let digest, let moved = try? Origin(directory: directory), moved.digest.hexadecimal == digest { return }
        throw Failure(
            .badConfiguration,
            "init.from was \(record?.origin ?? "null") when the run began and is \(directory); a run keeps the adapter that it began "
                + "with: put it back, or use --resume never with another --out")
    }

    /// Writes the origin's weights over the seeded start on rank 0. Returns sentences for the user.
    package func begin(_ weights: Arena, from origin: RunOrigin) throws(Failure) -> [String] {
        guard world.rank == 0, let from = origin.adapter else { return [] }
        let start = WarmStart(
            origin: from, method: method, shape: model.shape, adapter: adapter, newTask: configuration.newTask)
        let added = try start.apply(to: weights, backbone: backbone)
        let tasks =
            added.isEmpty
            ? []
            : [
                "new tasks \(added.joined(separator: ", ")) begin "
                    + (configuration.newTask == .mean ? "at the mean of the origin's tasks" : "at random")
            ]
        return ["begins with the adapter in \(from.path), digest \(origin.digest)"] + tasks
    }
}

extension RunOrigin {
    /// Refuses to begin at random a run that should begin with an adapter; on rank 0.
    package func refuseStartWithout() throws(Failure) {
        guard adapter == nil else { return }
        throw Failure(
            .badData, "the run began with the adapter in \(path), but no state of it is left; use another --out")
    }
}
