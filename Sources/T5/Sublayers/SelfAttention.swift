import Backbone
import Kernels
import Tensors

/// Keys and values of one decoder block that generation keeps: `[slots * steps, i]` each.
struct KeyValueCache {
    let key: MutableMatrix
    let value: MutableMatrix
    /// Rows kept in each slot.
    let steps: Int
    /// The step that is being computed.
    let step: Int
    /// The rows of the step, which say where each one's keys and values are kept.
    let rows: [GreedyDecoding.Row]

    /// The first row of the slot of a segment.
    func start(_ segment: Int) -> Int { rows[segment].slot * steps }
}

/// The self-attention of a block, `y = x + drop(o(attend(norm(x))))`.
struct SelfAttention {
    private let sublayer: Sublayer
    private let parts: T5Parts
    private let norm: Norm
    private let input: ProjectionGroup
    private let output: ProjectionGroup

    init(_ stack: Stack, _ block: Int, _ parts: T5Parts) {
        sublayer = Sublayer(stack, block, .selfAttention)
        self.parts = parts
        norm = parts.norm(sublayer)
        input = parts.model.group(sublayer, .selfInput)
        output = parts.model.group(sublayer, .selfOutput)
    }

    /// What the forward hands to the backward.
    struct State {
        let norm: Norm.State
        /// `[rows, 3i]`: q, k and v side by side.
        let projected: Matrix
        /// Those before dropout, and what it kept.
        let probabilities: AttentionProbabilities
        /// `[rows, i]`: input of o; valid in the backward only where o is adapted.
        let attended: Matrix
        /// The result of the output projection and its dropout.
        let end: SublayerEnd
    }

    /// Overwrites `y: [rows, d]`. With a `cache`, `x` holds one token of each example, whose keys and values go into the cache.
    func forward(
        _ x: Matrix, into y: MutableMatrix, _ rows: Segments, bias: PassBias, cache: KeyValueCache? = nil, _ pass: Pass
    ) -> State {
        let inner = parts.configuration.innerWidth
        let normalised = pass.memory(for: input, x.rows, x.columns, else: \.normalised)
        let norm = self.norm.forward(x, into: normalised, pass.workspace)
        let projected = pass.workspace.matrix(x.rows, 3 * inner)
        pass.projections.forward(input, norm.output, rows, into: projected, pass.context)
        let keys = keys(projected.readOnly, rows, bias, cache: cache, pass.workspace)
        let attention = attention(pass)
        let probabilities = attention.probabilities(rows, keys.segments)
        let attended = pass.memory(for: output, x.rows, inner, else: \.attended)
        attention.forward(
            projected.columns(0, inner).readOnly, rows, keys, probabilities: probabilities, into: attended)
        let end = pass.finish(output, attended.readOnly, x, into: y, rows, at: place(.selfOutput))
        return State(
            norm: norm, projected: projected.readOnly, probabilities: probabilities,
            attended: attended.readOnly, end: end)
    }

    /// `dx: [rows, d]` holds the gradient of the sublayer's output and receives that of its input if anything below needs it.
    func backward(_ state: State, _ dx: MutableMatrix, _ rows: Segments, bias: PassBias, _ pass: Pass) {
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        let inner = parts.configuration.innerWidth
        let needsInner = pass.depth.needsInnerGradient(sublayer)
        let dAttended = needsInner ? pass.workspace.matrix(dx.rows, inner) : nil
        pass.finishBackward(
            output, state.attended, state.end, dx.readOnly, rows, into: dAttended)
        guard let dAttended else { return }
        let dProjected = pass.workspace.matrix(dx.rows, 3 * inner)
        attention(pass).backward(
            state.projected.columns(0, inner), state.probabilities, rows,
            keys(state.projected, rows, bias, cache: nil, pass.workspace), dContext: dAttended.readOnly,
            dQuery: dProjected.columns(0, inner),
            dKeyValue: (key: dProjected.columns(inner, inner), value: dProjected.columns(2 * inner, inner)),
            dBias: bias.gradient)
        let needsNorm = pass.depth.needsNormGradient(sublayer)
        let dNormalised = needsNorm ? pass.workspace.matrix(dx.rows, dx.columns) : nil
        pass.projections.backward(input, state.norm.output, rows, dProjected.readOnly, into: dNormalised, pass.context)
        if let dNormalised {
            norm.backward(dNormalised.readOnly, state.norm, addingTo: pass.depth.goesBelow(sublayer) ? dx : nil)
        }
    }

    private func attention(_ pass: Pass) -> Attention {
        Attention(
            heads: parts.configuration.heads, width: parts.configuration.headWidth, dropout: pass.dropout,
            at: place(.selfProbabilities), workspace: pass.workspace)
    }

    /// The keys: the projected rows themselves, or the cache after this step's row was added to it.
    private func keys(
        _ projected: Matrix, _ rows: Segments, _ bias: PassBias, cache: KeyValueCache?, _ workspace: Workspace
    ) -> AttentionKeys {
        let inner = parts.configuration.innerWidth
        let (key, value) = (projected.columns(inner, inner), projected.columns(2 * inner, inner))
        guard let cache else {
            return AttentionKeys(
                key: key, value: value, segments: rows, queryOffset: 0, causal: sublayer.stack == .decoder,
                bias: bias.values)
        }
        for segment in 0..<rows.count {
            let row = cache.start(segment) + cache.step
            copy(key.rows(rows.start(segment), 1), into: cache.key.rows(row, 1))
            copy(value.rows(rows.start(segment), 1), into: cache.value.rows(row, 1))
        }
        let segments = Segments(
            rows.count, in: workspace, start: { cache.start($0) }, length: { _ in cache.step + 1 },
            example: { rows.example($0) })
        return AttentionKeys(
            key: cache.key.readOnly, value: cache.value.readOnly, segments: segments, queryOffset: cache.step,
            causal: true, bias: bias.values)
    }

    private func place(_ kind: DropoutKind) -> DropoutPlace {
        DropoutPlace(sublayer.stack, block: sublayer.block, kind)
    }
}
