import Tensors

extension T5Engine {
    /// The residual stream behind each block of a stack in the last `forward` or `logits`, `[rows, d]` each: source rows in
    /// the encoder, target rows in the decoder. Valid until the engine is used again; empty before its first pass.
    ///
    /// For comparisons of engines; a pass leaves them behind anyway, since norms are differentiated at their inputs.
    public func blockOutputs(_ stack: Stack) -> [Matrix] {
        let firstNorms: [NormState?]
        let last: NormState?
        switch stack {
        case .encoder: (firstNorms, last) = (encoder.map { $0.attention?.norm }, pass.encoderNorm)
        case .decoder: (firstNorms, last) = (decoder.map { $0.attention?.norm }, pass.decoderNorm)
        }
        guard let last else { return [] }
        // What a block gives is what the next one's first norm reads, or the final norm.
        return firstNorms.dropFirst().compactMap { $0?.input } + [last.input]
    }
}
