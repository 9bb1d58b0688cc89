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
    /// `[heads, 2 * reach - 1]`.
    private let gradients: MutableMatrix?

    /// Creates the bias for sources and targets of up to `longest` tokens.
    init(_ stack: Stack, _ parts: T5Parts, longest: Int, keepsActivations: Bool, _ workspace: Workspace) {
        let model = parts.model
        guard model.trainedBiases.contains(stack) else {
            (values, gradients) = (model.bias(stack).view, nil)
            return
        }
        let table = model.biasTable(stack)
        let width = 2 * max(longest, 1) - 1
        let numbers = workspace.matrix(table.columns, width)
        parts.configuration.buckets(stack).spread(table, into: numbers)
        values = DistanceBias(numbers.readOnly)
        let isTrained = keepsActivations && parts.gradients.bias(stack) != nil
        gradients = isTrained ? workspace.zeroMatrix(table.columns, width) : nil
    }

    /// Where the blocks add their gradients by distance; nil when the bias is frozen.
    var gradient: DistanceBiasGradient? { gradients.map { DistanceBiasGradient($0) } }

    /// Ends the backward: adds what all blocks have added to the gradient of the table.
    func finish(_ stack: Stack, _ parts: T5Parts) {
        guard let gradients, let table = parts.gradients.bias(stack) else { return }
        parts.configuration.buckets(stack).gather(gradients.readOnly, addingTo: table)
    }
}
