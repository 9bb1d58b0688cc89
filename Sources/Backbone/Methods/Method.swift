public import Tensors

/// A way to adapt a backbone: what is trained, how it starts, and what each worker computes with it.
///
/// A method is an immutable value that all workers share; its changing state is the arena of its weights. All code outside the
/// methods knows them only by this protocol.
public protocol Method: Sendable {
    /// The trainables: names, shapes, and the position of each in the arenas of weights, gradients and moments.
    ///
    /// A trainable with the name of a tensor of the backbone is that tensor: it starts with the backbone's numbers, and the
    /// backbone computes with the trained numbers. The optimiser's weight decay pulls every trainable towards 0, unless it is
    /// frozen (`trainedRows`).
    var parameters: ParameterLayout { get }

    /// How many places of the backbone the method adapts; for reports.
    var siteCount: Int { get }

    /// How much of a worker's workspace the method needs in addition to the backbone.
    var footprint: MethodFootprint { get }

    /// Overwrites `weights`, which have the layout `parameters`, with the seeded start, the same on every rank. It leaves out
    /// tensors of the backbone, which `start` copies.
    func initialise(_ weights: Arena, seed: UInt64)

    /// The block of the backbone whose backward is the last to add to the gradient of a trainable. Nil if that is unknown, or
    /// if `Adaptation.finish` adds to the gradient. Gradients of a block are summed over the ranks while the blocks below are
    /// computed, so a gradient must not change after its block is finished. Never called for tensors of the backbone.
    func block(of trainable: ParameterLayout.Entry) -> Block?

    /// Whether the first dimension of a trainable counts the tasks, so that a run with other tasks can take over its rows.
    func isPerTask(_ trainable: ParameterLayout.Entry) -> Bool

    /// The rows of a trainable, which are the entries of its first dimension, that training changes, in ascending order; nil for
    /// all of them, and none for a frozen tensor. The other elements stay as they began: they have no moments, do not count in the
    /// gradient's norm and are not summed over the ranks, so what an adaptation adds to their gradients has no effect. Only the
    /// method's own tensors may have such rows.
    func trainedRows(of trainable: ParameterLayout.Entry) -> [Int]?

    /// One worker's adaptation. `gradients` has the layout of `weights` and is added to; nil when no backward follows.
    func adaptation(weights: ReadOnlyArena, gradients: Arena?) -> any Adaptation
}

extension Method {
    /// Nil: all gradients are complete only at the end of the backward.
    public func block(of trainable: ParameterLayout.Entry) -> Block? { nil }

    /// False: nothing belongs to a single task.
    public func isPerTask(_ trainable: ParameterLayout.Entry) -> Bool { false }

    /// Nil: everything is trained.
    public func trainedRows(of trainable: ParameterLayout.Entry) -> [Int]? { nil }

    /// The elements of `parameters` that training changes.
    public var trained: TrainedParameters { TrainedParameters(parameters, rows: trainedRows) }
}
