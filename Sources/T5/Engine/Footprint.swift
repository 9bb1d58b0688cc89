/// Memory that a worker's workspace needs for a micro-batch, from shapes alone.
///
/// It follows the buffers of `T5Engine` one by one; a test holds it against the workspace's own high-water mark.
public struct Footprint: Sendable {
    private let configuration: T5Configuration
    private let examples: Int
    private let source: Int
    private let target: Int
    private let rankColumns: Int

    /// The footprint of `examples` examples of `source` and `target` tokens each; `rankColumns` is the largest number
    /// of LoRA columns (rank times sites) at one input.
    public init(configuration: T5Configuration, examples: Int, source: Int, target: Int, rankColumns: Int) {
        self.configuration = configuration
        self.examples = examples
        self.source = source
        self.target = target
        self.rankColumns = rankColumns
    }

    /// Bytes of a training pass: forward, kept activations and backward.
    public var trainingBytes: Int {
        let floats = encoderFloats + decoderFloats + outputFloats + backwardFloats
        // Every piece starts at a multiple of 64 bytes; that and the segments are small.
        return floats * MemoryLayout<Float>.stride * 102 / 100 + 65_536
    }

    private var sourceRows: Int { examples * source }
    private var targetRows: Int { examples * target }
    private var d: Int { configuration.modelWidth }
    private var inner: Int { configuration.innerWidth }
    private var feedForwardWidth: Int { configuration.feedForwardWidth }

    private func feedForwardRow() -> Int {
        // Residual, normalised, wo's result, dropout of the low-rank inputs' products, and the inner width.
        3 * d + 1 + 2 * rankColumns + feedForwardWidth * (configuration.feedForward == .relu ? 1 : 3)
    }

    private var encoderFloats: Int {
        let attention = 3 * d + 1 + 4 * inner + 2 * rankColumns + configuration.heads * source
        return sourceRows * (configuration.encoderBlocks * (attention + feedForwardRow()) + 3 * d + 1)
    }

    private var decoderFloats: Int {
        let own = 3 * d + 1 + 4 * inner + 2 * rankColumns + configuration.heads * target
        let cross = 3 * d + 1 + 2 * inner + 2 * rankColumns + configuration.heads * source
        let perBlock = targetRows * (own + cross + feedForwardRow()) + sourceRows * (2 * inner + rankColumns)
        return configuration.decoderBlocks * perBlock + targetRows * (3 * d + 1)
    }

    private var outputFloats: Int { targetRows * (configuration.vocabularySize + d) }

    private var backwardFloats: Int {
        let stream = sourceRows * 3 * d + targetRows * 2 * d
        let feedForward = sourceRows * (feedForwardWidth * 2 + 3 * d + rankColumns)
        let attention = sourceRows * (4 * inner + 3 * d + rankColumns) + 2 * source * source
        return stream + max(feedForward, attention)
    }
}
