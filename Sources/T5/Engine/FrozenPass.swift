import Kernels
import Tensors

/// The products with frozen weights that one training pass over a micro-batch makes, in its order: what the pass costs at
/// least, and what a benchmark replays.
public struct FrozenPass: Sendable {
    /// One product.
    public struct Product: Sendable {
        /// The weights.
        public let matrix: FrozenMatrix
        /// Whether it is the gradient of the input, `dy W`, instead of `x W^T`.
        public let isBackward: Bool
        /// Whether its rows are target tokens instead of source tokens.
        public let isTarget: Bool

        /// Multiplications and additions for so many rows.
        public func operations(rows: Int) -> Double {
            2 * Double(rows) * Double(matrix.inputWidth) * Double(matrix.outputWidth)
        }
    }

    /// The products in order.
    public let products: [Product]

    /// The pass of `model` with the backward that `adaptation` needs.
    public init(model: T5Model, adaptation: (any Adaptation)?) {
        let depth = BackwardDepth(groups: model.groups) { adaptation?.adapts($0) ?? false }
        var forward: [Product] = []
        var backward: [Product] = []
        for group in model.groups {
            let isTarget = group.stack == .decoder && group.kind != .crossMemory
            let matrix = model.weights(group)
            forward.append(Product(matrix: matrix, isBackward: false, isTarget: isTarget))
            if Self.needsInputGradient(group, depth) {
                backward.append(Product(matrix: matrix, isBackward: true, isTarget: isTarget))
            }
        }
        forward.append(Product(matrix: model.output, isBackward: false, isTarget: true))
        if depth.decoder != .max {
            backward.append(Product(matrix: model.output, isBackward: true, isTarget: true))
        }
        products = forward + backward.reversed()
    }

    /// As `T5Engine.backward` decides: an input's gradient is made when something below, or its own sublayer's inner
    /// part, needs it.
    private static func needsInputGradient(_ group: ProjectionGroup, _ depth: BackwardDepth) -> Bool {
        let lowest = group.stack == .encoder ? depth.encoder : depth.decoder
        guard lowest != .max, group.sublayer >= lowest else { return false }
        let below = group.sublayer > lowest
        switch group.kind {
        case .selfInput, .crossQuery, .feedForwardInput: return below
        case .crossMemory: return depth.encoderIsTrained
        case .selfOutput, .crossOutput, .feedForwardOutput: return true
        }
    }
}
