import Backbone
import Heartbeat
import Kernels
import Tensors

/// The decoder: embedding, blocks and output layer.
struct DecoderStack {
    private let parts: T5Parts
    private let embedding: TokenEmbedding
    private let blocks: [DecoderBlock]
    private let output: OutputLayer

    init(_ parts: T5Parts) {
        self.parts = parts
        embedding = TokenEmbedding(.decoder, parts)
        blocks = (0..<parts.configuration.decoderBlocks).map { DecoderBlock($0, parts) }
        output = OutputLayer(parts)
    }

    /// What the forward hands to the backward. Safe except for `ids`, which are valid as long as the pass.
    @safe struct State {
        var blocks: [DecoderBlock.State]
        let ids: UnsafePointer<Int32>
        let rows: Segments
        let bias: PassBias
        let output: OutputLayer.State
    }

    /// Runs the decoder on the targets, shifted right by the start token; `memory` is an array of an earlier pass, whose room
    /// the state takes over.
    func forward(_ encoded: Matrix, _ pass: Pass, reusing memory: consuming [DecoderBlock.State]) -> State {
        let (batch, workspace) = (pass.context.batch, pass.workspace)
        var states = memory
        states.removeAll(keepingCapacity: true)
        let rows = Segments(lengths: batch.targetLengths, in: workspace)
        let ids = unsafe shifted(batch, workspace)
        let longest = batch.targetLengths.reduce(0, max)
        let bias = PassBias(.decoder, parts, longest: longest, keepsActivations: true, workspace)
        var stream = unsafe ResidualStream(embedding.forward(ids, batch.targets.count, rows, pass), pass)
        for block in blocks {
            Heartbeat.beat()
            states.append(block.forward(&stream, rows, encoded: encoded, bias: bias, pass))
        }
        return unsafe State(
            blocks: states, ids: ids, rows: rows, bias: bias, output: output.forward(stream.present, rows, pass))
    }

    /// Backward of the gradients that `state.output` holds in place of the logits. Adds the gradients of the trained tensors,
    /// and adds to `dEncoded: [source rows, d]`, the gradient of the encoder's output, unless that is nil.
    func backward(
        _ state: State, encoded: Matrix, dEncoded: MutableMatrix?, _ pass: Pass, _ finished: (Block) -> Void
    ) {
        let depth = pass.depth
        let last = state.output.norm.input
        let dx = pass.workspace.zeroMatrix(last.rows, last.columns)
        output.backward(state.output, state.rows, addingTo: dx, pass)
        guard depth.goesBelowFinalNorm(.decoder) else { return }
        for (number, block) in blocks.enumerated().reversed() {
            Heartbeat.beat()
            block.backward(state.blocks[number], dx, state.rows, encoded: encoded, dEncoded: dEncoded, state.bias, pass)
            // All blocks add to the position bias, which belongs to block 0.
            if number == 0 { state.bias.finish(.decoder, parts) }
            finished(Block(.decoder, number))
        }
        if depth.reachesEmbedding { unsafe embedding.backward(state.ids, dx, state.rows, pass) }
    }

    /// State that generation keeps from one token to the next.
    struct Cache {
        fileprivate let own: [(key: MutableMatrix, value: MutableMatrix)]
        /// Keys and values of the encoder's output for each block.
        fileprivate let encoded: [Matrix]
        fileprivate let bias: PassBias
        fileprivate let steps: Int

        /// Copies the keys and values of the first `steps` tokens of a slot to another one.
        func copy(_ from: Int, to slot: Int, steps count: Int) {
            for memory in own {
                for matrix in [memory.key, memory.value] {
                    Kernels.copy(matrix.rows(from * steps, count).readOnly, into: matrix.rows(slot * steps, count))
                }
            }
        }
    }

    /// Room for `steps` tokens in each of `slots` places, and the keys and values of the encoder's output `[source rows, d]`.
    func cache(_ encoded: Matrix, steps: Int, slots: Int, _ pass: Pass) -> Cache {
        let (workspace, inner) = (pass.workspace, parts.configuration.innerWidth)
        let own = blocks.map { _ in
            (key: workspace.matrix(slots * steps, inner), value: workspace.matrix(slots * steps, inner))
        }
        let keyValues = blocks.map { block in
            let keyValue = workspace.matrix(encoded.rows, 2 * inner)
            let mark = workspace.mark
            block.cross.project(encoded, pass.context.sources, into: keyValue, pass)
            workspace.release(to: mark)
            return keyValue.readOnly
        }
        let bias = PassBias(.decoder, parts, longest: steps, keepsActivations: false, workspace)
        return Cache(own: own, encoded: keyValues, bias: bias, steps: steps)
    }

    /// Computes one token of each active row: logits `[active, vocabulary]`.
    func step(
        _ ids: UnsafePointer<Int32>, _ active: [GreedyDecoding.Row], step: Int, _ cache: Cache, _ pass: Pass
    ) -> Matrix {
        let (sources, workspace) = (pass.context.sources, pass.workspace)
        let rows = Segments(
            active.count, in: workspace, start: { $0 }, length: { _ in 1 }, example: { active[$0].example })
        let activeSources = Segments(
            active.count, in: workspace, start: { sources.start(active[$0].example) },
            length: { sources.length(active[$0].example) }, example: { active[$0].example })
        var stream = unsafe ResidualStream(embedding.forward(ids, active.count, rows, pass), pass)
        for (number, block) in blocks.enumerated() {
            let own = KeyValueCache(
                key: cache.own[number].key, value: cache.own[number].value, steps: cache.steps, step: step,
                rows: active)
            _ = stream.step { block.attention.forward($0, into: $1, rows, bias: cache.bias, cache: own, pass) }
            _ = stream.step {
                block.cross.forward(
                    $0, into: $1, rows, keyValue: cache.encoded[number], sources: activeSources, pass)
            }
            _ = stream.step { block.feedForward.forward($0, into: $1, rows, pass) }
        }
        return output.forward(stream.present, rows, pass).logits.readOnly
    }

    /// Decoder inputs: each example's targets shifted right by the start token.
    private func shifted(_ batch: RaggedBatch, _ workspace: Workspace) -> UnsafePointer<Int32> {
        let inputs = unsafe workspace.take(Int32.self, batch.targets.count)
        var row = 0
        for length in batch.targetLengths {
            for i in 0..<length {
                unsafe inputs[row + i] = i == 0 ? parts.configuration.decoderStartToken : batch.targets[row + i - 1]
            }
            row += length
        }
        return unsafe UnsafePointer(inputs)
    }
}

/// One block of the decoder.
struct DecoderBlock {
    let attention: SelfAttention
    let cross: CrossAttention
    let feedForward: FeedForward
    private let number: Int
    private let innerWidth: Int

    init(_ number: Int, _ parts: T5Parts) {
        self.number = number
        innerWidth = parts.configuration.innerWidth
        attention = SelfAttention(.decoder, number, parts)
        cross = CrossAttention(number, parts)
        feedForward = FeedForward(.decoder, number, parts)
    }

    /// What the forward hands to the backward.
    struct State {
        let attention: SelfAttention.State
        let cross: CrossAttention.State
        let feedForward: FeedForward.State
    }

    func forward(
        _ stream: inout ResidualStream, _ rows: Segments, encoded: Matrix, bias: PassBias, _ pass: Pass
    ) -> State {
        let sources = pass.context.sources
        let attention = stream.step { self.attention.forward($0, into: $1, rows, bias: bias, pass) }
        let keyValue = pass.workspace.matrix(encoded.rows, 2 * innerWidth)
        let cross = stream.step {
            self.cross.project(encoded, sources, into: keyValue, pass)
            return self.cross.forward($0, into: $1, rows, keyValue: keyValue.readOnly, sources: sources, pass)
        }
        let feedForward = stream.step { self.feedForward.forward($0, into: $1, rows, pass) }
        return State(attention: attention, cross: cross, feedForward: feedForward)
    }

    func backward(
        _ state: State, _ dx: MutableMatrix, _ rows: Segments, encoded: Matrix, dEncoded: MutableMatrix?,
        _ bias: PassBias, _ pass: Pass
    ) {
        let depth = pass.depth
        if depth.reaches(Sublayer(.decoder, number, .feedForward)) {
            feedForward.backward(state.feedForward, dx, rows, pass)
        }
        if depth.reaches(Sublayer(.decoder, number, .crossAttention)) {
            cross.backward(
                state.cross, dx, rows, encoded: encoded, sources: pass.context.sources, dEncoded: dEncoded, pass)
        }
        if depth.reaches(Sublayer(.decoder, number, .selfAttention)) {
            attention.backward(state.attention, dx, rows, bias: bias, pass)
        }
    }
}
