import Kernels
import Tensors

/// What the pass over the present micro-batch shares.
struct PassState {
    var context: MicroBatchContext?
    var dropout: Dropout?
    var slots: UnsafePointer<UInt32> = UnsafePointer(bitPattern: 8)!
    var sources: Segments?
    var targets: Segments?
    /// Encoder output after the final norm and its dropout: `[source rows, d]`.
    var memory: Matrix?
    var encoderNorm: NormState?
    var decoderNorm: NormState?
    /// Logits; overwritten with probabilities by the loss: `[target rows, vocabulary]`.
    var logits: Matrix?
    var smoothing: Float = 0
    /// Whether a backward may follow.
    var keepsActivations = true
    /// Whether a row's bits must not depend on the rows beside it, that is on the other examples: in generation.
    var independentRows: Bool { context?.independentRows ?? false }
    /// What no backward needs.
    var scratch: PassScratch?
}

/// Memory that one sublayer after the other uses for what is not needed any more behind it; as many rows as the larger of
/// sources and targets has.
struct PassScratch {
    /// `[rows, d]`: a sublayer's input after the norm, where no adapted projection reads it.
    let normalised: Matrix
    /// `[rows, d]`: a sublayer's result before the residual sum.
    let result: Matrix
    /// `[rows, i]`: input of o, where that is not adapted.
    let context: Matrix
    /// `[rows, d_ff]`: input of wo, where that is not adapted.
    let inner: Matrix

    init(rows: Int, _ configuration: T5Configuration, in workspace: Workspace) {
        normalised = workspace.matrix(rows, configuration.modelWidth)
        result = workspace.matrix(rows, configuration.modelWidth)
        context = workspace.matrix(rows, configuration.innerWidth)
        inner = workspace.matrix(rows, configuration.feedForwardWidth)
    }
}

/// What a norm's backward needs.
struct NormState {
    let input: Matrix
    /// Valid in the backward only where an adapted projection reads it.
    let output: Matrix
    let inverse: UnsafeMutablePointer<Float>
}

/// What an attention's backward needs. In self-attention q, k and v are bands of one buffer.
struct AttentionState {
    let norm: NormState
    /// `[rows, i]` of q.
    let query: Matrix
    /// `[key rows, 2i]`: k and v side by side.
    let keyValue: Matrix
    /// The buffer that the input group wrote (`[rows, 3i]` or q alone).
    let projected: Matrix
    /// For each example and head the probabilities before dropout, row by row.
    let probabilities: UnsafeMutablePointer<Float>
    /// `[rows, i]`: input of o; valid in the backward only where o is adapted.
    let context: Matrix
}

/// What a feed-forward's backward needs.
struct FeedForwardState {
    let norm: NormState
    /// `[rows, 2 d_ff]` before the activation when gated; nil for ReLU.
    let gates: Matrix?
    /// Which elements ReLU and dropout left; nil when gated, or when no backward follows.
    let mask: BitMask?
    /// `[rows, d_ff]`: input of wo; valid in the backward only where wo is adapted.
    let inner: Matrix
}

/// Saved activations of one encoder block.
struct EncoderBlockState {
    var attention: AttentionState?
    var feedForward: FeedForwardState?
}

/// Saved activations of one decoder block.
struct DecoderBlockState {
    var attention: AttentionState?
    var cross: AttentionState?
    var feedForward: FeedForwardState?
}
