public import Tensors

/// One worker's forward, backward and generation over ragged micro-batches, with one adaptation.
///
/// An engine belongs to one thread at a time; engines of several workers share the backbone. Its results depend on the
/// micro-batch alone, not on which engine computes it.
///
/// Order of calls in training: `forward`, then `backward`. Activations live in the workspace until the next `forward` or
/// `generate`.
public protocol BackboneEngine: AnyObject {
    /// Scratch memory.
    var workspace: Workspace { get }

    /// Runs the model on a micro-batch and returns its summed loss: `-log p` of every label token, smoothed by
    /// `labelSmoothing`.
    ///
    /// Every example needs at least one target token. With `dropout` it is a training pass, which `backward` may follow.
    func forward(_ batch: RaggedBatch, dropout: DropoutKey?, labelSmoothing: Float) -> MicroBatchLoss

    /// Backward of the last `forward`: adds the gradient of the summed loss to the method's gradients.
    ///
    /// Goes down to the lowest trained sublayer of each stack and no further; no gradient of a frozen weight is made.
    ///
    /// Calls `finished` with a block when all gradients that belong to it are complete (`BackboneShape.block(of:)`,
    /// `Method.block(of:)`), in the order of `BackboneShape.backwardOrder`; blocks that it does not reach may be left out.
    func backward(_ finished: (Block) -> Void)

    /// Releases the micro-batch: no `backward` may follow. Call this before reusing a batch's memory.
    func endPass()

    /// The logits of every target position, `[target rows, vocabulary]`, in the engine's workspace: valid until the next call, as
    /// long as the engine lives.
    func logits(_ batch: RaggedBatch, dropout: DropoutKey?) -> Matrix

    /// Greedy answers to the sources of a micro-batch, and the log-probabilities of `targets[i]` (lists of tokens, the end token
    /// included) as answers to example i. An answer has at most `maxNewTokens[i]` tokens, the end token included; 0 means none.
    /// Ties go to the lower token id. Throws when a logit is not finite: any token would be arbitrary.
    ///
    /// An answer and each log-probability, to the last bit of their logits, depend only on the example and the target: neither
    /// on the other examples and targets nor on the kernels that a library chooses for a number of rows.
    func answers(
        _ batch: RaggedBatch, maxNewTokens: [Int], targets: [[[Int32]]]
    ) throws(NonFiniteLogits) -> [DecodedAnswer]

    /// The residual stream after each block of a stack in the last `forward` or `logits`, `[rows, d]` each: source rows in the
    /// encoder, target rows in the decoder, or source and target rows if there is no encoder. Valid until the engine is used again;
    /// empty before its first pass.
    func blockOutputs(_ stack: Stack) -> [Matrix]

    /// Intermediate results of the last pass, with the names that they have in parity cases.
    var intermediateResults: [IntermediateResult] { get }
}

extension BackboneEngine {
    /// The loss without smoothing.
    public func forward(_ batch: RaggedBatch, dropout: DropoutKey?) -> MicroBatchLoss {
        forward(batch, dropout: dropout, labelSmoothing: 0)
    }

    /// The backward for callers that need the gradients only when all are complete.
    public func backward() { backward { _ in } }

    /// The tokens of greedy answers alone.
    public func generate(_ batch: RaggedBatch, maxNewTokens: [Int]) throws(NonFiniteLogits) -> [[Int32]] {
        try answers(batch, maxNewTokens: maxNewTokens, targets: Array(repeating: [], count: batch.count)).map(\.tokens)
    }

    /// The logits without dropout.
    public func logits(_ batch: RaggedBatch) -> Matrix { logits(batch, dropout: nil) }
}

/// An intermediate result of a pass.
public struct IntermediateResult {
    /// Its name in parity cases, e.g. `encoder_output`.
    public let name: String
    /// `[rows, width]`.
    public let values: Matrix
    /// Whether its rows are source tokens instead of target tokens.
    public let isOfSources: Bool

    /// Creates a named result.
    public init(name: String, values: Matrix, isOfSources: Bool) {
        self.name = name
        self.values = values
        self.isOfSources = isOfSources
    }
}

/// Sum of the losses of one micro-batch.
public struct MicroBatchLoss: Sendable, Equatable {
    /// Summed cross-entropy of each example's label tokens.
    public var perExample: [Double]
    /// Label tokens of each example.
    public var tokens: [Int]

    /// Creates the sums of each example.
    public init(perExample: [Double], tokens: [Int]) {
        self.perExample = perExample
        self.tokens = tokens
    }

    /// Sum over all label tokens.
    public var sum: Double { perExample.reduce(0, +) }
    /// Number of label tokens.
    public var tokenCount: Int { tokens.reduce(0, +) }
}

/// A logit of a generated token is an infinity or NaN, so any answer to this example would be arbitrary.
public struct NonFiniteLogits: Error, Sendable, Equatable {
    /// The example's number in the micro-batch.
    public let example: Int

    /// Names the example.
    public init(example: Int) { self.example = example }
}
