import Kernels
import Tensors

/// What a method adds to the frozen backbone, seen by one worker.
///
/// The engine calls `begin` once per micro-batch, `forward` at every projection group in the order of computation,
/// `backward` at the groups in reverse, and `finish` at the end. A method that adapts nothing at a group does nothing
/// there. There is one backbone; each method is a conformance.
public protocol Adaptation: AnyObject {
    /// Whether the method has trainables at that group: decides how far down the backward goes.
    func adapts(_ group: ProjectionGroup) -> Bool

    /// Prepares a micro-batch: what depends on examples only (hypernetwork). Memory comes from `context.workspace` and
    /// stays valid until the micro-batch ends.
    func begin(_ context: MicroBatchContext)

    /// Adds the method's part to the outputs of a group.
    ///
    /// `input: [rows, in]`, `output: [rows, out of all projections]`: adds to `output`. Rows may be one token of each
    /// example (generation) or all tokens.
    func forward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, output: Matrix, context: MicroBatchContext)

    /// Adds the gradients of the method's trainables, and its part of the input's gradient where that is wanted.
    ///
    /// `outputGradient: [rows, out of all projections]` is read only; adds to `inputGradient: [rows, in]`.
    func backward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, outputGradient: Matrix, inputGradient: Matrix?,
        context: MicroBatchContext)

    /// Finishes the backward: what `begin` computed.
    func finish(_ context: MicroBatchContext)
}

/// What a method needs to know of the micro-batch.
public struct MicroBatchContext {
    /// The backbone.
    public let model: T5Model
    /// The examples.
    public let batch: RaggedBatch
    /// Source rows of each example.
    public let sources: Segments
    /// Place of each example in the global batch.
    public let slots: UnsafePointer<UInt32>
    /// Seed and step of the dropout; nil when nothing is dropped (evaluation).
    public let dropout: DropoutKey?
    /// Whether a row's bits must not depend on the rows beside it, that is on the other examples: in generation. A training
    /// pass takes the fastest product instead; its micro-batches are the same whoever computes them.
    public let independentRows: Bool
    /// Scratch memory of the worker.
    public let workspace: Workspace
}

/// Seed and step from which each place's dropout is made.
public struct DropoutKey: Sendable {
    /// Seed of the run.
    public let seed: UInt64
    /// Training step.
    public let step: UInt32
    /// Rate at T5's own places.
    public let rate: Double

    /// Creates the key of a step.
    public init(seed: UInt64, step: UInt32, rate: Double) {
        self.seed = seed
        self.step = step
        self.rate = rate
    }
}
