import Backbone
import Heartbeat
import Kernels
import Tensors

/// The encoder: embedding, blocks, final norm and its dropout.
struct EncoderStack {
    private let parts: T5Parts
    private let embedding: TokenEmbedding
    private let blocks: [(attention: SelfAttention, feedForward: FeedForward)]
    private let norm: Norm

    init(_ parts: T5Parts) {
        self.parts = parts
        embedding = TokenEmbedding(.encoder, parts)
        blocks = (0..<parts.configuration.encoderBlocks).map {
            (SelfAttention(.encoder, $0, parts), FeedForward(.encoder, $0, parts))
        }
        norm = parts.finalNorm(.encoder)
    }

    /// What the forward hands to the backward. Safe except for `ids`, which are valid as long as the pass.
    @safe struct State {
        /// What the blocks kept; empty when no backward follows.
        var blocks: [(attention: SelfAttention.State, feedForward: FeedForward.State)]
        let ids: UnsafePointer<Int32>
        let bias: PassBias
        let norm: Norm.State
        /// `[source rows, d]`: what the decoder reads.
        let output: Matrix
    }

    /// Runs the encoder on the sources; `memory` is an array of an earlier pass, whose room the state takes over.
    func forward(
        _ pass: Pass, reusing memory: consuming [(attention: SelfAttention.State, feedForward: FeedForward.State)]
    ) -> State {
        let (context, workspace) = (pass.context, pass.workspace)
        let (sources, count) = (context.sources, context.batch.sources.count)
        var states = memory
        states.removeAll(keepingCapacity: true)
        let ids = unsafe workspace.take(Int32.self, count)
        for (i, id) in context.batch.sources.enumerated() { unsafe ids[i] = id }
        let longest = (0..<sources.count).reduce(0) { max($0, sources.length($1)) }
        let bias = PassBias(.encoder, parts, longest: longest, keepsActivations: pass.keepsActivations, workspace)
        var stream = unsafe ResidualStream(embedding.forward(ids, count, sources, pass), pass)
        for block in blocks {
            Heartbeat.beat()
            let attention = stream.step { block.attention.forward($0, into: $1, sources, bias: bias, pass) }
            let feedForward = stream.step { block.feedForward.forward($0, into: $1, sources, pass) }
            if pass.keepsActivations { states.append((attention, feedForward)) }
        }
        let last = stream.present
        let norm = self.norm.forward(last, into: workspace.matrix(last.rows, last.columns), workspace)
        let output = pass.dropout.applied(to: norm.output, sources, at: place, workspace)
        return unsafe State(blocks: states, ids: UnsafePointer(ids), bias: bias, norm: norm, output: output)
    }

    /// Adds the gradients of the trained tensors; overwrites `dOutput: [source rows, d]`, the gradient of the output.
    func backward(_ state: State, dOutput: MutableMatrix, _ pass: Pass, _ finished: (Block) -> Void) {
        let (sources, depth) = (pass.context.sources, pass.depth)
        pass.dropout.apply(dOutput, sources, at: place)
        let goesOn = depth.goesBelowFinalNorm(.encoder)
        let dx = goesOn ? pass.workspace.zeroMatrix(dOutput.rows, dOutput.columns) : nil
        norm.backward(dOutput.readOnly, state.norm, addingTo: dx)
        guard let dx else { return }
        for (number, block) in blocks.enumerated().reversed() {
            Heartbeat.beat()
            let kept = state.blocks[number]
            if depth.reaches(Sublayer(.encoder, number, .feedForward)) {
                block.feedForward.backward(kept.feedForward, dx, sources, pass)
            }
            if depth.reaches(Sublayer(.encoder, number, .selfAttention)) {
                block.attention.backward(kept.attention, dx, sources, bias: state.bias, pass)
            }
            // All blocks add to the position bias, which belongs to block 0.
            if number == 0 { state.bias.finish(.encoder, parts) }
            finished(Block(.encoder, number))
        }
        if depth.reachesEmbedding { unsafe embedding.backward(state.ids, dx, sources, pass) }
    }

    private var place: DropoutPlace { DropoutPlace(.encoder, block: 0, .finalNorm) }
}
