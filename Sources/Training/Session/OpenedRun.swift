package import Configuration
package import Failures
import Foundation
package import MPI
package import Runs

/// A finished or running run, opened for use: its configuration, its model and one checkpoint's weights.
package struct OpenedRun {
    package let run: RunDirectory
    package let base: RunModel
    package let model: AdaptedModel
    /// The loaded checkpoint, on rank 0; nil on other ranks.
    package let checkpoint: LoadedCheckpoint?
    /// Threads that compute.
    package let threads: Int

    /// Opens a run directory; collective. `checkpoint` is best, last, a step or a path.
    package init(_ path: String, checkpoint name: String, world: Communicator) throws(Failure) {
        run = RunDirectory(path)
        let file = run.configuration
        let configuration = try world.rankZeroFirst { () throws(Failure) in
            guard FileManager.default.fileExists(atPath: file) else {
                throw Failure(
                    .inputMissing,
                    "\(path) is no run directory: it holds no config.yaml; give the --out of a train command")
            }
            return try RunConfiguration.load(file: file)
        }
        base = try RunModel(configuration, training: false, world: world)
        model = AdaptedModel(base.method, on: base.model, seed: configuration.seed)
        checkpoint = try base.load(name, of: run, into: model.weights)
        threads = try ThreadChoice(requested: configuration.threads, world: world, microBatches: nil).threads
    }

    /// Engines for generation.
    package func team() -> EngineTeam { EngineTeam(answering: model, threads: threads) }

    /// The changes since the checkpoint's training on which the use depends, each a part of a sentence; for rank 0. Unless
    /// changes are allowed, any change is refused; allowed ones are reported on standard error.
    package func changes(
        to present: RunState.Identity, for use: AdapterUse, areAllowed: Bool
    ) throws(Failure) -> [String] {
        guard let checkpoint else { return [] }
        let changes = checkpoint.identity.changes(to: present, for: use)
        if areAllowed {
            for change in changes { Terminal.complain("changed since the training of \(checkpoint.path): \(change)") }
        } else if !changes.isEmpty {
            let more = changes.count > 3 ? ", and \(changes.count - 3) more" : ""
            throw Failure(
                .badConfiguration,
                "\(run.path) has changed since the training of \(checkpoint.path): "
                    + "\(changes.prefix(3).joined(separator: ", "))\(more); put it back, or give --allow-changes to go on "
                    + "all the same")
        }
        return changes
    }
}
