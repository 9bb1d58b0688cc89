import Adapters
import Checkpoints
import Failures
import MPI
import Tensors

extension RunModel {
    /// Loads the weights and the step of a checkpoint into `state`; collective. `name` is best, last, a step or a path.
    ///
    /// Returns, on rank 0, the checkpoint's path and whether it stands in the run directory. Refuses one that was trained on
    /// another backbone, or whose adapter means something else here.
    @discardableResult
    func load(
        _ name: String, of run: RunDirectory, into state: TrainState
    ) throws(Failure) -> (path: String, isOwn: Bool) {
        // Rank 0 reads and checks, so that a refusal is said once and all ranks have the same bytes.
        var place = (path: "", isOwn: false)
        if world.rank == 0 {
            do throws(Failure) {
                place = try read(name, of: run, into: state)
            } catch  where error.code == .inputMissing {
                // A training may just have removed it, and a link leads to a newer one by now.
                place = try read(name, of: run, into: state)
            }
        }
        try world.broadcast(UnsafeMutableRawBufferPointer(state.weights.elements), from: 0)
        return place
    }

    private func read(
        _ name: String, of run: RunDirectory, into state: TrainState
    ) throws(Failure) -> (path: String, isOwn: Bool) {
        let store = CheckpointStore(runDirectory: run.path)
        let checkpoint = try store.open(Resumption.selection(name))
        let saved = try RunState(checkpoint.state(), path: checkpoint.path)
        guard saved.identity.backbone == backbone else {
            throw Failure(
                .badConfiguration,
                "\(checkpoint.path) was trained on other weights than \(configuration.model) now has; restore the model"
            )
        }
        try check(checkpoint, run)
        try checkpoint.loadWeights(layout.parameters, into: state.weights)
        state.step = saved.step
        return (checkpoint.path, store.holds(checkpoint))
    }

    /// Refuses an adapter that means something else in this run: scaled or modulated otherwise, for other tasks.
    private func check(_ checkpoint: Checkpoint, _ run: RunDirectory) throws(Failure) {
        let path = checkpoint.adapterDirectory + "/unolora_config.json"
        if let key = try AdapterConfiguration(path: path).firstDifference(from: adapter) {
            throw Failure(
                .badConfiguration,
                "\(path) differs in \(key) from \(run.configuration); use a checkpoint of a run with the same adapter "
                    + "and tasks")
        }
    }
}
