public import Backbone

extension T5Configuration: BackboneShape {
    /// See `BackboneShape`; `FootprintTests` compares it with the workspace's own high-water mark.
    public func trainingBytes(_ lengths: BatchLengths, _ method: MethodFootprint) -> Int {
        TrainingFootprint(configuration: self, lengths: lengths, method: method).bytes
    }

    /// See `BackboneShape`; `GenerationFootprintTests` compares it with the workspace's own high-water mark.
    public func answeringBytes(
        _ lengths: BatchLengths, steps: Int, targets: Int, _ method: MethodFootprint
    ) -> Int {
        GenerationFootprint(configuration: self, lengths: lengths, steps: steps, targets: targets, method: method).bytes
    }

    /// See `BackboneShape`: 2 operations per weight and token, forward and backward.
    public func operations(source: Double, target: Double) -> Double {
        let inner = (feedForward == .relu ? 2 : 3) * modelWidth * feedForwardWidth
        let attention = modelWidth * innerWidth
        let encoder = Double(encoderBlocks * (4 * attention + inner))
        let crossMemory = Double(decoderBlocks * 2 * attention)
        let decoder = Double(decoderBlocks * (6 * attention + inner))
        let output = Double(vocabularySize * modelWidth)
        return 4 * (source * (encoder + crossMemory) + target * (decoder + output))
    }
}
