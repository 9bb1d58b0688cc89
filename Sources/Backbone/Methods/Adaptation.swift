import Kernels
import Tensors

/// What a method adds to a backbone, seen by one worker.
///
/// The engine calls `begin` once per micro-batch, then in the order of computation `forward` at every projection group and
/// `output` behind every sublayer that the method changes; in the backward `outputBackward` and `backward` in reverse, and
/// `finish` at the end. A method that adapts nothing at a place does nothing there. There is one engine for each backbone,
/// and each method is a conformance.
public protocol Adaptation: AnyObject {
    /// Whether the method has trainables at that group: decides how far down the backward goes.
    func adapts(_ group: ProjectionGroup) -> Bool

    /// Whether the method has trainables behind the output projection of that sublayer.
    func adapts(_ sublayer: Sublayer) -> Bool

    /// Where the gradient of a backbone's tensor is added, in the tensor's shape, for as long as this object lives; nil for a
    /// tensor that is frozen.
    func gradient(of tensor: String) -> UnsafeMutablePointer<Float>?

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

    /// What the method makes of a sublayer's output `z: [rows, d]`, after the output projection and before dropout and the
    /// sum with the residual stream. Overwrites `y: [rows, d]`; `z` stays as it is until the backward.
    func output(_ sublayer: Sublayer, _ z: Matrix, rows: Segments, into y: Matrix, context: MicroBatchContext)

    /// Backward of `output`: adds the gradients of the method's trainables and overwrites `dz: [rows, d]`; reads
    /// `dy: [rows, d]`.
    func outputBackward(
        _ sublayer: Sublayer, _ z: Matrix, rows: Segments, dy: Matrix, into dz: Matrix, context: MicroBatchContext)

    /// Finishes the backward: what `begin` computed.
    func finish(_ context: MicroBatchContext)
}

/// A method that changes no outputs of sublayers and trains no tensor of the backbone says nothing of either.
extension Adaptation {
    /// No.
    public func adapts(_ sublayer: Sublayer) -> Bool { false }
    /// None: all are frozen.
    public func gradient(of tensor: String) -> UnsafeMutablePointer<Float>? { nil }
    /// Never called.
    public func output(
        _ sublayer: Sublayer, _ z: Matrix, rows: Segments, into y: Matrix, context: MicroBatchContext
    ) { preconditionFailure("a sublayer whose output the method does not change") }
    /// Never called.
    public func outputBackward(
        _ sublayer: Sublayer, _ z: Matrix, rows: Segments, dy: Matrix, into dz: Matrix, context: MicroBatchContext
    ) { preconditionFailure("a sublayer whose output the method does not change") }
}
