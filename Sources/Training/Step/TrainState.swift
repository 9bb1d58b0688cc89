public import Backbone
public import Tensors

/// A backbone with the weights of a method's trainables: what answers are computed with.
public struct AdaptedModel: Sendable {
    /// The backbone as it computes, with the tensors that the method trains in `weights`.
    public let backbone: any Backbone
    /// Names, shapes and places of the trainables, and what is computed with them.
    public let method: any Method
    /// Trainable weights.
    public let weights: Arena

    /// The seeded start.
    public init(_ method: any Method, on backbone: any Backbone, seed: UInt64) {
        self.method = method
        weights = Arena(count: method.parameters.count, for: .trainables)
        method.start(weights, seed: seed, on: backbone)
        self.backbone = method.applied(to: backbone, weights: weights.readOnly)
    }

    /// An engine for one worker, which adds to `gradients`; nil where no backward is made.
    func engine(gradients: Arena?, workspace: Workspace = Workspace()) -> any BackboneEngine {
        backbone.engine(method.adaptation(weights: weights.readOnly, gradients: gradients), workspace: workspace)
    }
}

/// Everything that training changes: weights, both moments of the trained ones, how many steps are done, and how many of the last
/// ones were left out.
///
/// Every rank holds all of it and changes it alike, so any rank could write the checkpoint.
public final class TrainState {
    /// The model with its weights.
    public let model: AdaptedModel
    /// The weights that training changes.
    public let trained: TrainedParameters
    /// AdamW's mean of gradients, m, of the trained weights.
    public let mean: Arena
    /// AdamW's mean of squares, v, of the trained weights.
    public let square: Arena
    /// Steps done.
    public var step = 0
    /// How many of the last ones in a row were left out, since they were not finite.
    public var skippedInARow = 0
    /// The running averages of the tasks' gradients, where the run measures them; nothing of the training depends on them.
    package var averages: TaskAverages?

    /// All weights of the adapter.
    public var weights: Arena { model.weights }
    /// Names, shapes and places of these weights.
    public var parameters: ParameterLayout { model.method.parameters }

    /// Creates the seeded start.
    public init(_ method: any Method, on backbone: any Backbone, seed: UInt64) {
        model = AdaptedModel(method, on: backbone, seed: seed)
        trained = method.trained
        mean = Arena(count: trained.count, for: .trainables)
        square = Arena(count: trained.count, for: .trainables)
    }

    /// Digest of weights and both moments: equal for two runs that did the same.
    public var digest: ContentDigest {
        var accumulator = ContentDigest.Accumulator()
        for arena in [weights.readOnly, mean.readOnly, square.readOnly] {
            unsafe accumulator.update(UnsafeRawBufferPointer(arena.elements))
        }
        return accumulator.digest
    }
}
