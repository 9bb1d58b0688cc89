public import Kernels

/// The products with frozen weights in one training pass over a micro-batch, in order. They are a lower bound for the cost of
/// the pass, and a benchmark replays them.
public struct FrozenPass: Sendable {
    /// One product.
    public struct Product: Sendable {
        /// The weights.
        public let matrix: FrozenMatrix
        /// Whether it is the gradient of the input, `dy W`, instead of `x W^T`.
        public let isBackward: Bool
        /// Whether its rows are target tokens instead of source tokens.
        public let isTarget: Bool

        /// Number of multiplications and additions for `rows` rows.
        public func operations(rows: Int) -> Double {
            2 * Double(rows) * Double(matrix.inputWidth) * Double(matrix.outputWidth)
        }
    }

    /// The products in order.
    public let products: [Product]

    /// The products of a pass with the backward that `adaptation` needs. Of a model without an encoder it has only the rows of the
    /// targets.
    public init(_ backbone: any Backbone, adaptation: (any Adaptation)?) {
        let depth = backbone.backwardDepth(adaptation)
        var forward: [Product] = []
        var backward: [Product] = []
        for group in backbone.groups {
            let matrix = backbone.weights(group)
            forward.append(Product(matrix: matrix, isBackward: false, isTarget: group.readsTargets))
            if depth.needsInputGradient(group) {
                backward.append(Product(matrix: matrix, isBackward: true, isTarget: group.readsTargets))
            }
        }
        forward.append(Product(matrix: backbone.output, isBackward: false, isTarget: true))
        if depth.needsFinalNormGradient(.decoder) {
            backward.append(Product(matrix: backbone.output, isBackward: true, isTarget: true))
        }
        products = forward + backward.reversed()
    }
}
