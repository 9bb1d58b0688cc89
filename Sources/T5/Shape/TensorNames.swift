public import Backbone

/// Names and shapes of all tensors of a T5, as Hugging Face's files have them.
extension T5Configuration {
    /// The tensors that a model file must hold, in canonical order.
    public func tensorShapes() -> [(name: String, shape: [Int])] {
        var tensors: [(name: String, shape: [Int])] = [(Self.embeddingName, [vocabularySize, modelWidth])]
        for group in projectionGroups() {
            for projection in group.projections {
                tensors.append((projection.name + ".weight", [projection.outputWidth, projection.inputWidth]))
            }
        }
        for stack in Stack.allCases {
            tensors.append((biasName(stack), [positionBuckets, heads]))
            for block in 0..<blocks(stack) {
                for sublayer in sublayers(stack, block) {
                    tensors.append((normName(sublayer), [modelWidth]))
                }
            }
            tensors.append((finalNormName(stack), [modelWidth]))
        }
        if outputMatrix == .own {
            tensors.append((Self.outputName, [vocabularySize, modelWidth]))
        }
        return tensors
    }

    /// See `BackboneShape`: those of sublayers and the final ones.
    public func isNorm(_ tensor: String) -> Bool { tensor.hasSuffix("layer_norm.weight") }

    /// See `BackboneShape`: the names of all tensors of a block start with the block's name.
    public func block(of tensor: String) -> Block? {
        backwardOrder.first { tensor.hasPrefix("\($0.stack.name).block.\($0.number).") }
    }

    /// Names under which some files repeat a tensor of `tensorShapes`, each with the tensor that it repeats.
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

    static let embeddingName = "shared.weight"
    static let outputName = "lm_head.weight"

    func biasName(_ stack: Stack) -> String {
        "\(stack.name).block.0.layer.0.SelfAttention.relative_attention_bias.weight"
    }

    /// The norm of a sublayer.
    func normName(_ sublayer: Sublayer) -> String {
        "\(sublayer.stack.name).block.\(sublayer.block).layer.\(layer(sublayer)).layer_norm.weight"
    }

    /// The index of a sublayer in its block, as tensor names count it.
    func layer(_ sublayer: Sublayer) -> Int {
        sublayer.stack == .encoder && sublayer.kind == .feedForward ? 1 : sublayer.kind.rawValue
    }

    /// The sublayers of a block in the order of computation.
    func sublayers(_ stack: Stack, _ block: Int) -> [Sublayer] {
        Sublayer.Kind.allCases.filter { stack == .decoder || $0 != .crossAttention }.map { Sublayer(stack, block, $0) }
    }

    func finalNormName(_ stack: Stack) -> String {
        "\(stack.name).final_layer_norm.weight"
    }
}
