import Kernels
import Tensors

/// Keys and values of one decoder block that generation keeps: `[examples * steps, i]` each.
struct KeyValueCache {
    let key: Matrix
    let value: Matrix
    /// Rows kept for each example.
    let steps: Int
    /// Step that is being computed.
    let step: Int
}

extension T5Engine {
    /// Self-attention sublayer: `y = x + drop(o(attend(norm(x))))`. Overwrites `y`.
    func selfAttention(
        _ stack: Stack, _ block: Int, _ x: Matrix, into y: Matrix, _ rows: Segments, cache: KeyValueCache? = nil
    ) -> AttentionState {
        let inner = configuration.innerWidth
        let group = model.group(stack, block, .selfInput)
        let norm = normalise(x, model.norm(stack, block, 0), for: group)
        let projected = workspace.matrix(x.rows, 3 * inner)
        project(group, norm.output, rows, into: projected)
        let keys = selfKeys(stack, projected, rows, cache: cache)
        let state = AttentionState(
            norm: norm, query: projected.columns(0, inner), keyValue: projected.columns(inner, 2 * inner),
            projected: projected,
            probabilities: workspace.take(Float.self, probabilityCount(rows, keys.segments)),
            context: keeping(model.group(stack, block, .selfOutput), x.rows, inner, \.context))
        attend(
            state.query, rows, keys, probabilities: state.probabilities, into: state.context,
            dropoutPlace: place(stack, block, .selfProbabilities))
        finish(model.group(stack, block, .selfOutput), state.context, x, y, rows, .selfOutput)
        return state
    }

    /// Cross-attention sublayer of the decoder; `keyValue: [source rows, 2i]` was projected from the encoder's output.
    func crossAttention(
        _ block: Int, _ x: Matrix, into y: Matrix, _ rows: Segments, keyValue: Matrix, sources: Segments
    ) -> AttentionState {
        let inner = configuration.innerWidth
        let group = model.group(.decoder, block, .crossQuery)
        let norm = normalise(x, model.norm(.decoder, block, 1), for: group)
        let query = workspace.matrix(x.rows, inner)
        project(group, norm.output, rows, into: query)
        let keys = crossKeys(keyValue, sources)
        let state = AttentionState(
            norm: norm, query: query, keyValue: keyValue, projected: query,
            probabilities: workspace.take(Float.self, probabilityCount(rows, sources)),
            context: keeping(model.group(.decoder, block, .crossOutput), x.rows, inner, \.context))
        attend(
            query, rows, keys, probabilities: state.probabilities, into: state.context,
            dropoutPlace: place(.decoder, block, .crossProbabilities))
        finish(model.group(.decoder, block, .crossOutput), state.context, x, y, rows, .crossOutput)
        return state
    }

    /// Feed-forward sublayer: `y = x + drop(wo(drop(act(wi(norm(x))))))`. Overwrites `y`.
    func feedForward(_ stack: Stack, _ block: Int, _ x: Matrix, into y: Matrix, _ rows: Segments) -> FeedForwardState {
        let width = configuration.feedForwardWidth
        let group = model.group(stack, block, .feedForwardInput)
        let outputGroup = model.group(stack, block, .feedForwardOutput)
        let norm = normalise(x, model.norm(stack, block, stack == .encoder ? 1 : 2), for: group)
        let inner = keeping(outputGroup, x.rows, width, \.inner)
        var gates: Matrix?
        var mask: BitMask?
        if configuration.feedForward == .relu {
            project(group, norm.output, rows, into: inner)
            mask = dropRelu(inner, rows, place: place(stack, block, .feedForwardInner))
        } else {
            let both = workspace.matrix(x.rows, 2 * width)
            project(group, norm.output, rows, into: both)
            gatedGelu(both.columns(0, width), both.columns(width, width), into: inner)
            gates = both
            drop(inner, rows, place: place(stack, block, .feedForwardInner))
        }
        finish(outputGroup, inner, x, y, rows, .feedForwardOutput)
        return FeedForwardState(norm: norm, gates: gates, mask: mask, inner: inner)
    }

    /// `h = drop(relu(h))` in place; returns which elements it left when a backward may follow.
    private func dropRelu(_ h: Matrix, _ rows: Segments, place: UInt32) -> BitMask? {
        guard pass.keepsActivations else {
            relu(h)
            return nil
        }
        let mask = BitMask(
            workspace.take(UInt8.self, BitMask.byteCount(rows: h.rows, columns: h.columns)), columns: h.columns)
        guard let dropout = pass.dropout else {
            relu(h, mask: mask)
            return mask
        }
        for segment in 0..<rows.count {
            let (start, length) = (rows.start(segment), rows.length(segment))
            dropout.applyRelu(
                h, start..<start + length, mask: mask, slot: pass.slots[rows.example(segment)], place: place)
        }
        return mask
    }

    /// The end of a sublayer: `y = x + drop(input W^T)` with the output projection of a group.
    private func finish(
        _ group: ProjectionGroup, _ input: Matrix, _ x: Matrix, _ y: Matrix, _ rows: Segments, _ kind: DropoutKind
    ) {
        guard let scratch = pass.scratch else { preconditionFailure("begin comes first") }
        let result = scratch.result.rows(0, x.rows)
        project(group, input, rows, into: result)
        residual(result, x, into: y, rows, place: place(group.stack, group.block, kind))
    }

    func place(_ stack: Stack, _ block: Int, _ kind: DropoutKind) -> UInt32 {
        dropoutPlace(stack, block: block, kind: kind.rawValue)
    }

    /// The keys of self-attention: the projected rows themselves, or the cache after this step's row went into it.
    func selfKeys(_ stack: Stack, _ projected: Matrix, _ rows: Segments, cache: KeyValueCache? = nil) -> AttentionKeys {
        let inner = configuration.innerWidth
        let (key, value) = (projected.columns(inner, inner), projected.columns(2 * inner, inner))
        guard let cache else {
            return AttentionKeys(
                key: key, value: value, segments: rows, queryOffset: 0, causal: stack == .decoder,
                bias: model.bias(stack))
        }
        for segment in 0..<rows.count {
            let row = rows.example(segment) * cache.steps + cache.step
            copy(key.rows(rows.start(segment), 1), into: cache.key.rows(row, 1))
            copy(value.rows(rows.start(segment), 1), into: cache.value.rows(row, 1))
        }
        let segments = Segments(
            rows.count, in: workspace, start: { rows.example($0) * cache.steps }, length: { _ in cache.step + 1 },
            example: { rows.example($0) })
        return AttentionKeys(
            key: cache.key, value: cache.value, segments: segments, queryOffset: cache.step, causal: true,
            bias: model.bias(stack))
    }

    func crossKeys(_ keyValue: Matrix, _ sources: Segments) -> AttentionKeys {
        let inner = configuration.innerWidth
        return AttentionKeys(
            key: keyValue.columns(0, inner), value: keyValue.columns(inner, inner), segments: sources, queryOffset: 0,
            causal: false, bias: nil)
    }
}
