public import Tensors

/// One worker's side of a method: what the method adds to a backbone.
///
/// The engine calls `begin` once per micro-batch. Then it calls, in the order of computation, `forward` at every projection
/// group and `output` after every sublayer that the method changes. In the backward it calls `outputBackward` and `backward` in
/// reverse order, and `finish` at the end. At a place that a method does not adapt, the method does nothing. Each backbone has
/// one engine, and each method conforms to this protocol.
public protocol Adaptation: AnyObject {
    /// Whether the method has trainables at that group; this decides how far down the backward goes.
    func adapts(_ group: ProjectionGroup) -> Bool

    /// Whether the method has trainables after the output projection of that sublayer.
    func adapts(_ sublayer: Sublayer) -> Bool

    /// Where the gradient of a backbone's tensor is added, in the tensor's shape, a vector as one row; valid as long as this
    /// object lives. Nil for a frozen tensor.
    func gradient(of tensor: String) -> MutableMatrix?

    /// Prepares a micro-batch: computes what depends only on its examples (hypernetwork). The memory comes from
    /// `context.workspace` and stays valid until the micro-batch ends.
    func begin(_ context: MicroBatchContext)

    /// Adds the method's part to the outputs of a group.
    ///
    /// `input: [rows, in]`, `output: [rows, out of all projections]`: adds to `output`, which holds the products with the
    /// frozen weights. It must not multiply them, since the engine takes `outputGradient` of `backward` as the gradient of
    /// these products. Rows may be one token of each example (generation) or all tokens.
    func forward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, output: MutableMatrix, context: MicroBatchContext)

    /// Adds the gradients of the method's trainables, and its part of the input's gradient unless that is nil.
    ///
    /// Only reads `outputGradient: [rows, out of all projections]`; adds to `inputGradient: [rows, in]`, which holds the part
    /// of the frozen weights.
    func backward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, outputGradient: Matrix, inputGradient: MutableMatrix?,
        context: MicroBatchContext)

    /// Computes `y` from a sublayer's output `z: [rows, d]`, after the output projection and before dropout and the sum with
    /// the residual stream. Overwrites `y: [rows, d]`; `z` stays unchanged until the backward.
    func output(_ sublayer: Sublayer, _ z: Matrix, rows: Segments, into y: MutableMatrix, context: MicroBatchContext)

    /// Backward of `output`: adds the gradients of the method's trainables and overwrites `dz: [rows, d]`; reads
    /// `dy: [rows, d]`.
    func outputBackward(
        _ sublayer: Sublayer, _ z: Matrix, rows: Segments, dy: Matrix, into dz: MutableMatrix,
        context: MicroBatchContext)

    /// Finishes the backward: the backward of what `begin` computed.
    func finish(_ context: MicroBatchContext)
}

/// Defaults for a method that changes no sublayer outputs and trains no tensor of the backbone.
extension Adaptation {
    /// False: no sublayer's output is adapted.
    public func adapts(_ sublayer: Sublayer) -> Bool { false }
    /// Nil: all tensors are frozen.
    public func gradient(of tensor: String) -> MutableMatrix? { nil }
    /// Never called.
    public func output(
        _ sublayer: Sublayer, _ z: Matrix, rows: Segments, into y: MutableMatrix, context: MicroBatchContext
    ) { preconditionFailure("a sublayer whose output the method does not change") }
    /// Never called.
    public func outputBackward(
        _ sublayer: Sublayer, _ z: Matrix, rows: Segments, dy: Matrix, into dz: MutableMatrix,
        context: MicroBatchContext
    ) { preconditionFailure("a sublayer whose output the method does not change") }
}
