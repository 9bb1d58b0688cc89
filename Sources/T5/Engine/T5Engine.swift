public import Backbone
public import Tensors

/// One worker's T5: forward, backward and generation over ragged micro-batches with one adaptation.
public final class T5Engine: BackboneEngine {
    /// The frozen backbone.
    public let model: T5Model
    /// The method; nil for the frozen backbone alone.
    public let adaptation: (any Adaptation)?
    /// Scratch memory.
    public let workspace: Workspace

    private let projections: Projections
    private let encoder: EncoderStack
    private let decoder: DecoderStack
    /// What the last forward left for a backward.
    private var last: Kept?
    /// Memory of earlier passes.
    private var spare = Spare()

    private struct Kept {
        let pass: Pass
        let encoder: EncoderStack.State
        let decoder: DecoderStack.State
        var loss = TokenLoss(smoothing: 0)
    }

    private struct Spare {
        var encoder: [(attention: SelfAttention.State, feedForward: FeedForward.State)] = []
        var decoder: [DecoderBlock.State] = []
        var losses: [Double] = []

        mutating func takeEncoder() -> [(attention: SelfAttention.State, feedForward: FeedForward.State)] {
            defer { encoder = [] }
            return encoder
        }

        mutating func takeDecoder() -> [DecoderBlock.State] {
            defer { decoder = [] }
            return decoder
        }
    }

    /// Creates an engine for one worker.
    public init(model: T5Model, adaptation: (any Adaptation)?, workspace: Workspace = Workspace()) {
        self.model = model
        self.adaptation = adaptation
        self.workspace = workspace
        projections = Projections(model, adaptation)
        let parts = T5Parts(model: model, gradients: T5Gradients(model.configuration, adaptation))
        encoder = EncoderStack(parts)
        decoder = DecoderStack(parts)
    }

    /// See `BackboneEngine`.
    public func forward(_ batch: RaggedBatch, dropout: DropoutKey?, labelSmoothing: Float) -> MicroBatchLoss {
        let logits = pass(batch, dropout: dropout)
        let loss = TokenLoss(smoothing: labelSmoothing)
        last?.loss = loss
        loss.forward(logits, of: batch, into: &spare.losses)
        return MicroBatchLoss(perExample: spare.losses, tokens: batch.targetLengths)
    }

    /// See `BackboneEngine`.
    public func logits(_ batch: RaggedBatch, dropout: DropoutKey?) -> Matrix {
        pass(batch, dropout: dropout).readOnly
    }

    /// Runs the model and returns its logits.
    private func pass(_ batch: RaggedBatch, dropout: DropoutKey?) -> MutableMatrix {
        endPass()
        let pass = newPass(batch, decoderRows: batch.targets.count, dropout: dropout, keepsActivations: true)
        let encoded = encoder.forward(pass, reusing: spare.takeEncoder())
        let decoded = decoder.forward(encoded.output, pass, reusing: spare.takeDecoder())
        last = Kept(pass: pass, encoder: encoded, decoder: decoded)
        return decoded.output.logits
    }

    /// See `BackboneEngine`.
    public func backward(_ finished: (Block) -> Void) {
        guard let adaptation, let last else { return }
        let (pass, encoded) = (last.pass, last.encoder.output)
        if !pass.depth.isEmpty {
            last.loss.backward(last.decoder.output.logits, of: pass.context.batch)
            let dEncoded =
                pass.depth.needsMemoryGradient ? workspace.zeroMatrix(encoded.rows, encoded.columns) : nil
            decoder.backward(last.decoder, encoded: encoded, dEncoded: dEncoded, pass, finished)
            if let dEncoded { encoder.backward(last.encoder, dOutput: dEncoded, pass, finished) }
        }
        adaptation.finish(pass.context)
    }

    /// See `BackboneEngine`.
    public func endPass() {
        guard let last else { return }
        spare.encoder = last.encoder.blocks
        spare.decoder = last.decoder.blocks
        self.last = nil
    }

    /// See `BackboneEngine`. The encoder and the hypernetwork run once; keys and values are cached; what is finished leaves the
    /// batch.
    public func answers(
        _ batch: RaggedBatch, maxNewTokens: [Int], targets: [[[Int32]]]
    ) throws(NonFiniteLogits) -> [DecodedAnswer] {
        try unsafe answers(batch, maxNewTokens: maxNewTokens, targets: targets) { _, _ in }
    }

    /// The same, and calls `observe` with the example and the logits of each token of an answer.
    func answers(
        _ batch: RaggedBatch, maxNewTokens: [Int], targets: [[[Int32]]],
        observe: (Int, UnsafeBufferPointer<Float>) -> Void
    ) throws(NonFiniteLogits) -> [DecodedAnswer] {
        precondition(maxNewTokens.count == batch.count, "a limit for each example")
        precondition(targets.count == batch.count, "a list of targets for each example")
        endPass()
        let slots = GreedyDecoding.Slots(targets: targets)
        let pass = newPass(batch, decoderRows: slots.count, dropout: nil, keepsActivations: false)
        let encoded = encoder.forward(pass, reusing: []).output
        let longest = targets.joined().reduce(maxNewTokens.max() ?? 0) { max($0, $1.count) }
        let cache = decoder.cache(encoded, steps: longest, slots: slots.count, pass)
        let decoding = GreedyDecoding(
            startToken: model.configuration.decoderStartToken, endToken: model.configuration.endToken,
            workspace: workspace)
        return try unsafe decoding.answers(
            limits: maxNewTokens, targets: targets, slots: slots,
            logits: { unsafe decoder.step($0, $1, step: $2, cache, pass) }, copy: { cache.copy($0, to: $1, steps: $2) },
            observe: observe)
    }

    private func newPass(
        _ batch: RaggedBatch, decoderRows: Int, dropout: DropoutKey?, keepsActivations: Bool
    ) -> Pass {
        Pass(
            batch, rows: max(batch.sources.count, decoderRows), dropout: dropout,
            keepsActivations: keepsActivations, on: model, projections, adaptation, workspace: workspace)
    }

    /// See `BackboneEngine`.
    public func blockOutputs(_ stack: Stack) -> [Matrix] {
        guard let last else { return [] }
        // The output of a block is the input of the next block's first norm, or of the final norm.
        let inputs =
            stack == .encoder
            ? last.encoder.blocks.map(\.attention.norm.input) : last.decoder.blocks.map(\.attention.norm.input)
        let end = stack == .encoder ? last.encoder.norm.input : last.decoder.output.norm.input
        return inputs.dropFirst() + [end]
    }

    /// See `BackboneEngine`.
    public var intermediateResults: [IntermediateResult] {
        encoderOutput.map { [IntermediateResult(name: "encoder_output", values: $0, isOfSources: true)] } ?? []
    }

    /// The encoder's output of the last pass, `[source rows, d]`.
    public var encoderOutput: Matrix? { last?.encoder.output }
}
