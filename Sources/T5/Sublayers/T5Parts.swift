import Backbone
import Tensors

/// What the sublayers of one worker's T5 share: the model, and where the gradients of its trained tensors are added.
struct T5Parts {
    let model: T5Model
    let gradients: T5Gradients

    var configuration: T5Configuration { model.configuration }

    /// The norm of a sublayer.
    func norm(_ sublayer: Sublayer) -> Norm {
        Norm(model.norm(sublayer), epsilon: configuration.normEpsilon, gradient: gradients.norm(sublayer))
    }

    /// The final norm of a stack.
    func finalNorm(_ stack: Stack) -> Norm {
        Norm(model.finalNorm(stack), epsilon: configuration.normEpsilon, gradient: gradients.finalNorm(stack))
    }
}

/// The position bias of a stack in one pass: the model's, or, when it is trained, the one that the table gives now; and the
/// gradients by distance, to which all blocks of the stack add.
struct PassBias {
    let values: DistanceBias
    private let gradientBase: UnsafeMutablePointer<Float>?
    private let reach: Int

    /// Creates the bias for sources and targets of up to `longest` tokens.
    init(_ stack: Stack, _ parts: T5Parts, longest: Int, keepsActivations: Bool, _ workspace: Workspace) {
        let model = parts.model
        guard model.trainedBiases.contains(stack) else {
            (values, gradientBase, reach) = (model.bias(stack).view, nil, 0)
            return
        }
        reach = max(longest, 1)
        let table = model.biasTable(stack)
        let size = table.columns * (2 * reach - 1)
        let base = workspace.take(Float.self, size)
        parts.configuration.buckets(stack).spread(table, into: base, reach: reach)
        values = DistanceBias(base, reach: reach)
        guard keepsActivations, parts.gradients.bias(stack) != nil else {
            gradientBase = nil
            return
        }
        let gradient = workspace.take(Float.self, size)
        gradient.update(repeating: 0, count: size)
        gradientBase = gradient
    }

    /// Where the blocks add their gradients by distance; nil when the bias is frozen.
    var gradient: DistanceBiasGradient? { gradientBase.map { DistanceBiasGradient($0, reach: reach) } }

    /// Ends the backward: adds what all blocks have added to the gradient of the table.
    func finish(_ stack: Stack, _ parts: T5Parts) {
        guard let gradientBase, let table = parts.gradients.bias(stack) else { return }
        let configuration = parts.configuration
        configuration.buckets(stack).gather(
            gradientBase, reach: reach,
            addingTo: MutableMatrix(table, rows: configuration.positionBuckets, columns: configuration.heads))
    }
}
