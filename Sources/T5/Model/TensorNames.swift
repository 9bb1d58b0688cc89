/// Names and shapes of all tensors of a T5, as Hugging Face's files have them.
extension T5Configuration {
    /// The tensors that a model file must hold, in canonical order.
    public func tensorShapes() -> [(name: String, shape: [Int])] {
        var tensors: [(name: String, shape: [Int])] = [("shared.weight", [vocabularySize, modelWidth])]
        for group in projectionGroups() {
            for projection in group.projections {
                tensors.append((projection.name + ".weight", [projection.outputWidth, projection.inputWidth]))
            }
        }
        for stack in Stack.allCases {
            tensors.append((biasName(stack), [positionBuckets, heads]))
            for block in 0..<blocks(stack) {
                for layer in 0..<(stack == .encoder ? 2 : 3) {
                    tensors.append((normName(stack, block, layer), [modelWidth]))
                }
            }
            tensors.append((finalNormName(stack), [modelWidth]))
        }
        if outputMatrix == .own {
            tensors.append(("lm_head.weight", [vocabularySize, modelWidth]))
        }
        return tensors
    }

    /// Names under which some files repeat a tensor that `tensorShapes` has, and the tensor they repeat.
    public func aliases() -> [(name: String, of: String)] {
        var aliases = [
            ("encoder.embed_tokens.weight", "shared.weight"), ("decoder.embed_tokens.weight", "shared.weight"),
        ]
        if outputMatrix == .embedding {
            aliases.append(("lm_head.weight", "shared.weight"))
        }
        return aliases
    }

    /// Tensors of old conversions that no T5 reads: mesh-tensorflow's files carry a cross-attention bias.
    static let ignoredTensors: Set<String> = [
        "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"
    ]

    /// Number of weights of the backbone, tied ones once.
    public var weightCount: Int {
        tensorShapes().reduce(0) { $0 + $1.shape.reduce(1, *) }
    }

    func biasName(_ stack: Stack) -> String {
        "\(stack.name).block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    }

    func normName(_ stack: Stack, _ block: Int, _ layer: Int) -> String {
        "\(stack.name).block.\(block).layer.\(layer).layer_norm.weight"
    }

    func finalNormName(_ stack: Stack) -> String {
        "\(stack.name).final_layer_norm.weight"
    }
}
