import Tensors

/// A way to adapt a backbone: what is trained, how it starts, and what a worker does with it.
///
/// A method is an immutable value that all workers share; what changes is in the arena of its weights. Everything outside the
/// methods themselves knows them by this protocol alone.
public protocol Method: Sendable {
    /// The trainables: names, shapes, and where each stands in the arenas of weights, gradients and moments.
    ///
    /// A trainable that has the name of a tensor of the backbone is that tensor: it starts with the backbone's numbers, and
    /// the backbone computes with the trained ones.
    var parameters: ParameterLayout { get }

    /// How many places of the backbone it adapts; for a report.
    var siteCount: Int { get }

    /// What it takes of a worker's workspace beside the backbone.
    var footprint: MethodFootprint { get }

    /// Overwrites `weights`, which have the layout `parameters`, with the seeded start, the same on every rank. Tensors of the
    /// backbone are not its business: `start` copies them.
    func initialise(_ weights: Arena, seed: UInt64)

    /// The block of the backbone whose backward is the last to add to the gradient of a trainable; nil where that is known of none,
    /// as for what `Adaptation.finish` adds to. Gradients of a block are summed over the ranks while the blocks below are
    /// computed, so a gradient must not change any more once its block is finished. Not asked for tensors of the backbone.
    func block(of trainable: ParameterLayout.Entry) -> Block?

    /// One worker's part. `gradients` has the layout of `weights` and is added to; nil where no backward is made.
    func adaptation(weights: Arena, gradients: Arena?) -> any Adaptation
}

extension Method {
    /// Every gradient is complete at the end alone.
    public func block(of trainable: ParameterLayout.Entry) -> Block? { nil }
}
