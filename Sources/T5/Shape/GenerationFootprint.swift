import Backbone

/// The memory that a worker's workspace needs to answer an evaluation batch, computed from shapes alone.
///
/// It follows the buffers of `T5Engine.generate` as if every answer used all of its tokens; `GenerationFootprintTests` compares
/// it with the workspace's own high-water mark.
struct GenerationFootprint: Sendable {
    private let configuration: T5Configuration
    private let lengths: BatchLengths
    private let steps: Int
    private let targets: Int
    private let method: MethodFootprint

    /// The footprint of examples that are each answered with up to `steps` tokens, and for each of which the log-probabilities of
    /// `targets` answers of as many tokens are computed; only the lengths of the sources count.
    init(
        configuration: T5Configuration, lengths: BatchLengths, steps: Int, targets: Int = 0, method: MethodFootprint
    ) {
        self.configuration = configuration
        self.lengths = lengths
        self.steps = steps
        self.targets = targets
        self.method = method
    }

    /// Bytes of one call of `generate`.
    var bytes: Int {
        // Slots, segments and ids; the encoder's two buffers, its norm and output; the scratch of all sublayers; and the
        // hypernetwork without its backward, which is half of it.
        let scratch = 2 * d + inner + configuration.feedForwardWidth
        let kept =
            sourceRows * (1 + 3 * d + 1) + max(sourceRows, slots) * scratch + examples * 4
            + (method.kept(examples: examples) + 1) / 2
        let positions = method.trainsPositions ? configuration.heads * 2 * (lengths.longestSource + steps) : 0
        let encoder = sublayer(rows: sourceRows, own: 3 * inner, pairs: lengths.sourcePairs)
        let decoder = cached + max(sourceRows * method.perRowInGeneration, step)
        // Every piece starts at a multiple of 64 bytes.
        let panels = configuration.smallProductFloats(keys: max(lengths.longestSource, steps), method: method)
        return (kept + positions + max(encoder, decoder) + panels) * MemoryLayout<Float>.stride + pieces * 63
    }

    private var examples: Int { lengths.examples }
    private var sourceRows: Int { lengths.sourceRows }
    /// Rows of a step if no target begins with the same tokens as the answer or another target (`GreedyDecoding.Slots`).
    private var slots: Int { examples * (1 + targets) }
    private var d: Int { configuration.modelWidth }
    private var inner: Int { configuration.innerWidth }

    /// Largest number of pieces in use at one time: keys and values of the decoder, pieces of a sublayer, and the
    /// hypernetwork's.
    private var pieces: Int { 3 * configuration.decoderBlocks + 64 }

    /// Keys and values of every decoder block, for the answers so far and for the sources.
    private var cached: Int { configuration.decoderBlocks * 2 * inner * (slots * steps + sourceRows) }

    /// One token of every slot in the decoder: ids and segments, two buffers, and the largest sublayer or the logits.
    private var step: Int {
        let attention = max(
            sublayer(rows: slots, own: 3 * inner, pairs: slots * steps) + 3 * slots,
            sublayer(rows: slots, own: inner, pairs: sourceRows * (1 + targets)))
        return slots * (7 + 2 * d) + max(attention, slots * (2 * d + 1 + configuration.vocabularySize))
    }

    /// The floats of a sublayer's rows: the norm's factors, and the larger of two things: an attention with its probabilities
    /// (each head has one for each of `pairs`), or the gates of a gated feed-forward.
    private func sublayer(rows: Int, own: Int, pairs: Int) -> Int {
        let gates = configuration.feedForward == .relu ? 0 : 2 * configuration.feedForwardWidth
        return rows * (1 + method.perRowInGeneration + (method.keptOutputs.isEmpty ? 0 : d))
            + max(rows * own + configuration.heads * pairs, rows * gates)
    }
}
