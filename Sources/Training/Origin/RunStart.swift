package import Adapters
package import Backbone
package import Configuration
package import Failures
import Foundation
package import Runs
package import Tensors

/// The weights with which the training of a run began, computed again.
package struct RunStart {
    /// In the layout of the method.
    package let weights: Arena
    /// Whether they are those of another adapter (`init.from`), where that has something for the run.
    package let isFromOrigin: Bool

    /// Computes the start of a run: the method's start from the run's seed, and over it the adapter from which the run began.
    ///
    /// Throws a failure, whose sentence says why, if the start is not known any more: the adapter from which the run began is gone
    /// or has changed, or the run's configuration has.
    ///
    /// - Parameters:
    ///   - adapter: the configuration of the run's trained adapter.
    ///   - state: that of a checkpoint of the run.
    ///   - backbone: the model from which the run was trained; nil leaves out of the start what of it is trained.
    package init(
        of run: RunDirectory, _ configuration: RunConfiguration, _ state: RunState, method: any Method,
        adapter: AdapterConfiguration, shape: any BackboneShape, backbone: (any Backbone)?
    ) throws(Failure) {
        let identity = state.identity
        let changes = RunConfiguration.differences(from: identity.configuration, to: configuration.resultText)
        if let change = changes.first {
            throw Failure(
                .badConfiguration, "\(run.configuration) has changed since the training: \(change); put it back")
        }
        weights = Arena(count: method.parameters.count, for: .trainables)
        if let backbone {
            method.start(weights, seed: state.seed, on: backbone)
        } else {
            method.initialise(weights, seed: state.seed)
        }
        isFromOrigin = identity.origin != nil
        guard let digest = identity.origin else { return }
        let start = WarmStart(
            origin: try Self.origin(digest, of: run, configuration), method: method, shape: shape, adapter: adapter,
            newTask: configuration.newTask)
        _ = try start.apply(to: weights, backbone: identity.backbone)
    }

    /// Opens the adapter with this digest where the run found it.
    private static func origin(
        _ digest: String, of run: RunDirectory, _ configuration: RunConfiguration
    ) throws(Failure) -> Origin {
        let paths = [EnvironmentRecord.origin(of: run)?.path, configuration.origin].compactMap(\.self)
        for path in paths {
            if let origin = try? Origin(directory: path), origin.digest.hexadecimal == digest { return origin }
        }
        throw Failure(
            .inputMissing,
            "the adapter from which \(run.path) began is not in \(paths.last ?? "a known place") any more; put it back")
    }
}
