/// Memory that a worker's workspace needs to answer an evaluation batch, from shapes alone.
///
/// It follows the buffers of `T5Engine.generate` as if every answer had all of its tokens; `GenerationFootprintTests` holds
/// it against the workspace's own high-water mark.
public struct GenerationFootprint: Sendable {
    private let configuration: T5Configuration
    private let examples: Int
    private let source: Int
    private let steps: Int
    private let method: Footprint.LowRank

    /// The footprint of `examples` examples of `source` tokens that are each answered with up to `steps` tokens.
    public init(configuration: T5Configuration, examples: Int, source: Int, steps: Int, method: Footprint.LowRank) {
        self.configuration = configuration
        self.examples = examples
        self.source = source
        self.steps = steps
        self.method = method
    }

    /// Bytes of one call of `generate`.
    public var bytes: Int {
        // Slots, segments and ids; the encoder's two buffers, its norm and output, and the scratch of all sublayers; the
        // hypernetwork without its backward, which is half.
        let scratch = 2 * d + inner + configuration.feedForwardWidth
        let kept = sourceRows * (1 + 3 * d + 1 + scratch) + examples * (4 + (method.perExample + 1) / 2)
        let encoder = sourceRows * sublayer(own: 3 * inner, keys: source)
        let decoder = cached + max(sourceRows * lowRankRow, step)
        // Every piece starts at a multiple of 64 bytes.
        let panels = configuration.smallProductFloats(keys: max(source, steps), method: method)
        return (kept + max(encoder, decoder) + panels) * MemoryLayout<Float>.stride + pieces * 63
    }

    private var sourceRows: Int { examples * source }
    private var d: Int { configuration.modelWidth }
    private var inner: Int { configuration.innerWidth }

    /// Pieces in use at one time, at most: keys and values of the decoder, those of a sublayer, and the hypernetwork's.
    private var pieces: Int { 3 * configuration.decoderBlocks + 64 }

    /// Keys and values of every decoder block: of the answers so far, and of the sources.
    private var cached: Int { configuration.decoderBlocks * 2 * inner * (examples * steps + sourceRows) }

    /// One token of every example through the decoder: ids and segments, two buffers, and the most of a sublayer or the
    /// logits.
    private var step: Int {
        let attention = max(
            sublayer(own: 3 * inner, keys: steps) + 3, sublayer(own: inner, keys: source))
        return examples * (7 + 2 * d + max(attention, 2 * d + 1 + configuration.vocabularySize))
    }

    /// Low-rank columns of both groups of a sublayer, and what stands between A and B at one, of three sites at most.
    private var lowRankRow: Int { 3 * (method.columns + method.rank) }

    /// A row's floats in a sublayer: the norm's factor, and the larger of an attention with its probabilities and a gated
    /// feed-forward's gates.
    private func sublayer(own: Int, keys: Int) -> Int {
        let gates = configuration.feedForward == .relu ? 0 : 2 * configuration.feedForwardWidth
        return 1 + lowRankRow + max(own + configuration.heads * keys, gates)
    }
}
