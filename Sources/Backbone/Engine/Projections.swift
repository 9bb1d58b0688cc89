public import Kernels
public import Tensors

/// One worker's products with the projections of a backbone, with the method's part, forward and backward.
public final class Projections {
    private let backbone: any Backbone
    private let adaptation: (any Adaptation)?
    /// The backbone's sizes. They are read once, since each access through the protocol may allocate memory.
    let shape: any BackboneShape
    /// How far down the backward goes.
    public let depth: BackwardDepth
    /// This worker's products with frozen weights.
    public let products: FrozenProducts
    /// For each group and projection: where the gradient of a trained weight is added.
    private let gradients: [[MutableMatrix?]]

    /// The projections of a backbone with a method.
    public init(_ backbone: any Backbone, _ adaptation: (any Adaptation)?) {
        self.backbone = backbone
        self.adaptation = adaptation
        shape = backbone.shape
        depth = backbone.backwardDepth(adaptation)
        products = FrozenProducts()
        gradients = backbone.groups.map { group in
            group.projections.map { adaptation?.gradient(of: $0.name + ".weight") }
        }
    }

    /// `y = x W^T` for all projections of a group side by side, plus the method's part. Overwrites `y`.
    public func forward(
        _ group: ProjectionGroup, _ x: Matrix, _ rows: Segments, into y: MutableMatrix, _ context: MicroBatchContext
    ) {
        backbone.weights(group).multiply(x, into: y, independentRows: context.independentRows, products)
        adaptation?.forward(group, input: x, rows: rows, output: y, context: context)
    }

    /// Backward of `forward`: adds the gradients of everything trained; overwrites `dx` unless that is nil.
    public func backward(
        _ group: ProjectionGroup, _ x: Matrix, _ rows: Segments, _ dy: Matrix, into dx: MutableMatrix?,
        _ context: MicroBatchContext
    ) {
        if let dx { backbone.weights(group).multiplyTransposed(dy, into: dx, products) }
        guard depth.adapts(group) else { return }
        for (projection, gradient) in zip(group.projections, gradients[group.index]) {
            guard let gradient else { continue }
            gemm(
                .transposed(dy.columns(projection.outputOffset, projection.outputWidth)), .asIs(x),
                into: gradient, beta: 1)
        }
        guard adaptation?.adapts(group) ?? false else { return }
        adaptation?.backward(group, input: x, rows: rows, outputGradient: dy, inputGradient: dx, context: context)
    }
}
