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
}

/// What a norm's backward needs.
struct NormState {
    let input: Matrix
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
    /// `[rows, i]`: input of o.
    let context: Matrix
}

/// What a feed-forward's backward needs.
struct FeedForwardState {
    let norm: NormState
    /// `[rows, 2 d_ff]` before the activation when gated; nil for ReLU, whose result is its own mask.
    let gates: Matrix?
    /// `[rows, d_ff]`: input of wo.
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
