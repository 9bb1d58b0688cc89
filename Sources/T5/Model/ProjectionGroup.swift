import Tensors

/// Projections of one sublayer that read the same input; their outputs stand side by side in one buffer.
///
/// The raw values are also the dropout places of the low-rank path's inputs.
public enum GroupKind: UInt32, Sendable, CaseIterable {
    /// q, k, v of self-attention.
    case selfInput = 8
    /// o of self-attention.
    case selfOutput = 9
    /// q of cross-attention.
    case crossQuery = 10
    /// k, v of cross-attention; they read the encoder's output.
    case crossMemory = 11
    /// o of cross-attention.
    case crossOutput = 12
    /// wi, or wi_0 and wi_1.
    case feedForwardInput = 13
    /// wo.
    case feedForwardOutput = 14
}

/// One frozen linear layer `y = x W^T`, `W: [out, in]`.
public struct Projection: Sendable {
    /// Hugging Face's module path, e.g. `decoder.block.3.layer.1.EncDecAttention.v`.
    public let name: String
    /// The last part of the path: q, k, v, o, wi, wi_0, wi_1 or wo.
    public let leaf: String
    /// Width of its input.
    public let inputWidth: Int
    /// Width of its output.
    public let outputWidth: Int
    /// First column of its output in the group's buffer.
    public let outputOffset: Int
    /// The smaller of its widths, which is its largest possible rank.
    public var smallerSide: Int { min(inputWidth, outputWidth) }
}

/// The projections that read one input.
public struct ProjectionGroup: Sendable {
    /// Position among all groups of the model, in the order of computation.
    public let index: Int
    /// The half of the model.
    public let stack: Stack
    /// The block inside the stack.
    public let block: Int
    /// Which input.
    public let kind: GroupKind
    /// The projections in canonical order.
    public let projections: [Projection]
    /// Width of the input.
    public var inputWidth: Int { projections[0].inputWidth }
    /// Width of all outputs together.
    public var outputWidth: Int { projections.reduce(0) { $0 + $1.outputWidth } }

    /// The sublayer's position in its stack: attention before feed-forward, block after block.
    var sublayer: Int {
        switch (stack, kind) {
        case (.encoder, .selfInput), (.encoder, .selfOutput): 2 * block
        case (.encoder, _): 2 * block + 1
        case (.decoder, .selfInput), (.decoder, .selfOutput): 3 * block
        case (.decoder, .crossQuery), (.decoder, .crossMemory), (.decoder, .crossOutput): 3 * block + 1
        case (.decoder, _): 3 * block + 2
        }
    }
}

extension T5Configuration {
    /// All groups of the model, encoder first, in the order of computation.
    public func projectionGroups() -> [ProjectionGroup] {
        var groups: [ProjectionGroup] = []
        for stack in Stack.allCases {
            for block in 0..<blocks(stack) {
                for kind in GroupKind.allCases where stack == .decoder || !kind.isCross {
                    groups.append(group(stack, block, kind, index: groups.count))
                }
            }
        }
        return groups
    }

    private func group(_ stack: Stack, _ block: Int, _ kind: GroupKind, index: Int) -> ProjectionGroup {
        let (layer, module): (Int, String) =
            switch kind {
            case .selfInput, .selfOutput: (0, "SelfAttention")
            case .crossQuery, .crossMemory, .crossOutput: (1, "EncDecAttention")
            case .feedForwardInput, .feedForwardOutput: (stack == .encoder ? 1 : 2, "DenseReluDense")
            }
        let (input, output) =
            switch kind {
            case .selfInput, .crossQuery, .crossMemory: (modelWidth, innerWidth)
            case .selfOutput, .crossOutput: (innerWidth, modelWidth)
            case .feedForwardInput: (modelWidth, feedForwardWidth)
            case .feedForwardOutput: (feedForwardWidth, modelWidth)
            }
        let leaves: [String] =
            switch kind {
            case .selfInput: ["q", "k", "v"]
            case .crossQuery: ["q"]
            case .crossMemory: ["k", "v"]
            case .selfOutput, .crossOutput: ["o"]
            case .feedForwardInput: feedForward == .relu ? ["wi"] : ["wi_0", "wi_1"]
            case .feedForwardOutput: ["wo"]
            }
        let path = "\(stack.name).block.\(block).layer.\(layer).\(module)."
        let projections = leaves.enumerated().map { position, leaf in
            Projection(
                name: path + leaf, leaf: leaf, inputWidth: input, outputWidth: output, outputOffset: position * output)
        }
        return ProjectionGroup(index: index, stack: stack, block: block, kind: kind, projections: projections)
    }
}

extension GroupKind {
    /// Whether it belongs to cross-attention, which only the decoder has.
    var isCross: Bool { self == .crossQuery || self == .crossMemory || self == .crossOutput }
}
