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
    /// Threads of this rank.
    package let threads: Int
    /// The configuration with the values that were set for this use.
    package let settings: EvaluationSettings

    /// Opens a run directory; collective.
    ///
    /// - Parameters:
    ///   - checkpoint: best, last, a step or a path.
    ///   - place: where the model lies now; nil for where it lay in the training.
    ///   - assignments: `--set key=value` of keys that decide nothing of the training; nil for a command that takes none.
    package init(
        _ path: String, checkpoint name: String, model place: String? = nil, setting assignments: [String]? = nil,
        world: Communicator
    ) throws(Failure) {
        run = RunDirectory(path)
        let run = run
        settings = try world.rankZeroFirst { () throws(Failure) in
            let settings = try EvaluationSettings(run: Self.configuration(of: run), set: assignments ?? [])
            // What is named for this use is not replaced.
            try ProductBackend.check(settings)
            return settings
        }
        let configuration = place.map(settings.configuration.placing(model:)) ?? settings.configuration
        try world.rankZeroFirst { () throws(Failure) in try Self.refuseMissingModel(configuration, of: run) }
        base = try RunModel(
            configuration, training: false, freedom: assignments == nil ? .nothing : .library, world: world)
        base.sayProducts()
        model = AdaptedModel(base.method, on: base.model, seed: configuration.seed)
        checkpoint = try base.load(name, of: run, into: model.weights)
        threads = try ThreadChoice(requested: configuration.threads, world: world, microBatches: nil).threads
    }

    /// Puts together what was opened elsewhere.
    init(
        _ run: RunDirectory, _ base: RunModel, _ model: AdaptedModel, _ checkpoint: LoadedCheckpoint?, threads: Int,
        settings: EvaluationSettings
    ) {
        (self.run, self.base, self.model, self.checkpoint) = (run, base, model, checkpoint)
        (self.threads, self.settings) = (threads, settings)
    }

    /// The path of a run's configuration. Refuses a directory that is no run.
    package static func configuration(of run: RunDirectory) throws(Failure) -> String {
        guard FileManager.default.fileExists(atPath: run.configuration) else {
            throw Failure(
                .inputMissing,
                "\(run.path) is no run directory: it holds no config.yaml; give the --out of a train command")
        }
        return run.configuration
    }

    /// Refuses a model that is not where it was in the training, with how to say where it is.
    package static func refuseMissingModel(_ configuration: RunConfiguration, of run: RunDirectory) throws(Failure) {
        guard !FileManager.default.fileExists(atPath: configuration.model) else { return }
        throw Failure(
            .inputMissing,
            "the model \(configuration.model) of \(run.path) does not exist; name the place where it lies now with --model"
        )
    }

    /// Engines for generation.
    package func team() -> EngineTeam { EngineTeam(answering: model, threads: threads) }

    /// The changes since the checkpoint's training on which the uses depend, each a part of a sentence; for rank 0. Unless
    /// changes are allowed, any change is refused; allowed ones are reported on standard error.
    package func changes(
        to present: RunState.Identity, for uses: [AdapterUse], areAllowed: Bool
    ) throws(Failure) -> [String] {
        guard let checkpoint else { return [] }
        var changes: [String] = []
        for change in uses.flatMap({ checkpoint.identity.changes(to: present, for: $0) })
        where !changes.contains(change) {
            changes.append(change)
        }
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
