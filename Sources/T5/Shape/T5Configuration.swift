public import Backbone

/// The shape of a T5 model, as Hugging Face's `config.json` gives it.
public struct T5Configuration: Sendable, Equatable {
    /// The matrix `[vocabulary, d]` that computes the logits from the decoder's output.
    public enum OutputMatrix: Sendable {
        /// The embedding itself, `shared.weight`: T5 v1.0.
        case embedding
        /// A separate matrix, `lm_head.weight`: T5 v1.1, FLAN, mT5.
        case own
    }

    /// The activation between the two matrices of the feed-forward.
    public enum FeedForward: String, Sendable {
        /// `relu(x wi^T) wo^T`: T5 v1.0.
        case relu
        /// `(gelu_new(x wi_0^T) * (x wi_1^T)) wo^T`: T5 v1.1, FLAN, mT5.
        case gatedGelu = "gated-gelu"
    }

    /// Rows of the embedding (at least the number of pieces of the vocabulary).
    public var vocabularySize: Int
    /// Width of the residual stream, d.
    public var modelWidth: Int
    /// Width of one attention head, d_kv.
    public var headWidth: Int
    /// Width inside the feed-forward, d_ff.
    public var feedForwardWidth: Int
    /// Encoder blocks.
    public var encoderBlocks: Int
    /// Decoder blocks.
    public var decoderBlocks: Int
    /// Attention heads.
    public var heads: Int
    /// Buckets of the relative position bias.
    public var positionBuckets: Int
    /// From this distance on all positions share the last bucket.
    public var positionMaxDistance: Int
    /// Dropout rate at T5's places in training.
    public var dropoutRate: Double
    /// Added to the mean square in the layer norm.
    public var normEpsilon: Float
    /// Form of the feed-forward.
    public var feedForward: FeedForward
    /// Which matrix computes the logits.
    public var outputMatrix: OutputMatrix
    /// Whether the decoder's output is scaled by d^-1/2 before the output matrix.
    public var scalesOutput: Bool
    /// First input of the decoder.
    public var decoderStartToken: Int32
    /// Id of padding.
    public var padToken: Int32
    /// Id of the end of a text.
    public var endToken: Int32

    /// Width of all heads together, `heads * d_kv`; may differ from d.
    public var innerWidth: Int { heads * headWidth }
    /// The factor of the decoder's output before the output matrix.
    public var outputScale: Float { scalesOutput ? 1 / Float(modelWidth).squareRoot() : 1 }

    /// Blocks of a stack.
    public func blocks(_ stack: Stack) -> Int { stack == .encoder ? encoderBlocks : decoderBlocks }
}

/// Old checkpoints hold a backbone's digest of this text, so the text for a given model must stay the same.
extension T5Configuration: Encodable {
    private enum CodingKeys: String, CodingKey {
        case vocabularySize, modelWidth, headWidth, feedForwardWidth, encoderBlocks, decoderBlocks, heads
        case positionBuckets, positionMaxDistance, dropoutRate, normEpsilon, feedForward
        case tiedEmbeddings, decoderStartToken, padToken, endToken
        case scalesOutput
    }

    /// Writes every property. It writes whether the output is scaled only when that differs from v1.0 and v1.1, in which the
    /// output is scaled exactly when the embedding is the output matrix.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(vocabularySize, forKey: .vocabularySize)
        try values.encode(modelWidth, forKey: .modelWidth)
        try values.encode(headWidth, forKey: .headWidth)
        try values.encode(feedForwardWidth, forKey: .feedForwardWidth)
        try values.encode(encoderBlocks, forKey: .encoderBlocks)
        try values.encode(decoderBlocks, forKey: .decoderBlocks)
        try values.encode(heads, forKey: .heads)
        try values.encode(positionBuckets, forKey: .positionBuckets)
        try values.encode(positionMaxDistance, forKey: .positionMaxDistance)
        try values.encode(dropoutRate, forKey: .dropoutRate)
        try values.encode(normEpsilon, forKey: .normEpsilon)
        try values.encode(feedForward.rawValue, forKey: .feedForward)
        try values.encode(outputMatrix == .embedding, forKey: .tiedEmbeddings)
        try values.encode(decoderStartToken, forKey: .decoderStartToken)
        try values.encode(padToken, forKey: .padToken)
        try values.encode(endToken, forKey: .endToken)
        if scalesOutput != (outputMatrix == .embedding) { try values.encode(scalesOutput, forKey: .scalesOutput) }
    }
}
