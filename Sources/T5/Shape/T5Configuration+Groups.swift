public import Backbone

extension T5Configuration {
    /// All groups of the model, encoder first, in the order of computation.
    public func projectionGroups() -> [ProjectionGroup] {
        var groups: [ProjectionGroup] = []
        for stack in Stack.allCases {
            for block in 0..<blocks(stack) {
                for kind in GroupKind.allCases where stack == .decoder || kind.sublayer != .crossAttention {
                    groups.append(group(stack, block, kind, index: groups.count))
                }
            }
        }
        return groups
    }

    private func group(_ stack: Stack, _ block: Int, _ kind: GroupKind, index: Int) -> ProjectionGroup {
        let layer = layer(Sublayer(stack, block, kind.sublayer))
        let module =
            switch kind.sublayer {
            case .selfAttention: "SelfAttention"
            case .crossAttention: "EncDecAttention"
            case .feedForward: "DenseReluDense"
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
