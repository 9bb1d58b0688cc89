import Adapters
import Backbone
import Checkpoints
import Configuration
package import Failures
import MPI
package import Runs
package import Tensors
import Text

/// A checkpoint whose weights were loaded for use; known on rank 0.
package struct LoadedCheckpoint {
    /// Its directory.
    package var path: String
    /// Whether it is in the run directory.
    package var isOwn: Bool
    /// The identity of its training.
    package var identity: RunState.Identity
    /// Digest of the adapter's weights.
    package var adapter: ContentDigest?
    /// Number of its training steps.
    package var step: Int
    /// Seed of the training.
    package var seed: UInt64
}

extension RunModel {
    /// The name of the best checkpoint, or, with a note, of the last one of a run in which nothing has been evaluated.
    package static let usualCheckpoint = "auto"

    /// Loads the weights of a checkpoint; collective. `name` is best, last, a step, a path or `usualCheckpoint`.
    ///
    /// Returns what it loaded on rank 0, nil on other ranks. Refuses a checkpoint that was trained on another backbone or with
    /// another vocabulary, or whose adapter means something else here.
    @discardableResult
    package func load(_ name: String, of run: RunDirectory, into weights: Arena) throws(Failure) -> LoadedCheckpoint? {
        // Rank 0 reads and checks, so that a refusal is reported once and all ranks have the same bytes.
        var loaded: LoadedCheckpoint?
        if world.rank == 0 {
            do throws(Failure) {
                loaded = try read(name, of: run, into: weights)
            } catch  where error.code == .inputMissing {
                // A running training may have just removed it; by now the link leads to a newer one.
                loaded = try read(name, of: run, into: weights)
            }
        }
        try unsafe world.broadcast(UnsafeMutableRawBufferPointer(weights.elements), from: 0)
        return loaded
    }

    private func read(
        _ name: String, of run: RunDirectory, into weights: Arena
    ) throws(Failure) -> LoadedCheckpoint {
        let store = CheckpointStore(runDirectory: run.path)
        var name = name
        if name == Self.usualCheckpoint {
            name = store.step(of: .best) == nil && store.step(of: .last) != nil ? "last" : "best"
            if name == "last" {
                Terminal.complain(
                    "note: nothing has been evaluated in \(run.path), so this is its last checkpoint, not the best one")
            }
        }
        let checkpoint = try store.open(CheckpointStore.Selection(named: name))
        let saved = try RunState(checkpoint.state(), path: checkpoint.path)
        guard saved.identity.backbone == backbone else {
            throw Failure(
                .badConfiguration,
                "\(checkpoint.path) was trained on the model with the digest \(saved.identity.backbone), and \(configuration.model) "
                    + "has \(backbone): other weights or another config.json; restore the model, or name the place of the right "
                    + "one with --model"
            )
        }
        try check(checkpoint, saved.identity, run)
        try checkpoint.loadWeights(method.parameters, into: weights)
        return LoadedCheckpoint(
            path: checkpoint.path, isOwn: store.holds(checkpoint), identity: saved.identity,
            adapter: checkpoint.adapterDigest, step: saved.step, seed: saved.seed)
    }

    /// Refuses an adapter that means something else in this run: it was trained on other tokens, is scaled or modulated
    /// differently, or has other tasks.
    private func check(
        _ checkpoint: Checkpoint, _ identity: RunState.Identity, _ run: RunDirectory
    ) throws(Failure) {
        let path = checkpoint.adapterDirectory + "/unolora_config.json"
        let trained = try AdapterConfiguration(path: path)
        let present = vocabulary.digest.hexadecimal
        guard !identity.hasOtherVocabulary(than: present), trained.vocabulary ?? present == present else {
            throw Failure(
                .badConfiguration,
                "\(checkpoint.path) was trained with another vocabulary than \(vocabulary.path), with its "
                    + "added tokens, now is; put the one of the training back")
        }
        if let key = try trained.firstDifference(from: adapter) {
            throw Failure(
                .badConfiguration,
                "\(path) differs in \(key) from \(run.configuration); use a checkpoint of a run with the same adapter "
                    + "and tasks")
        }
    }
}
