import Backbone
import Kernels
import Tensors

/// The decoder's attention to the encoder's output, `y = x + drop(o(attend(q(norm(x)), k(memory), v(memory))))`.
struct CrossAttention {
    private let sublayer: Sublayer
    private let parts: T5Parts
    private let norm: Norm
    private let query: ProjectionGroup
    private let memory: ProjectionGroup
    private let output: ProjectionGroup

    init(_ block: Int, _ parts: T5Parts) {
        sublayer = Sublayer(.decoder, block, .crossAttention)
        self.parts = parts
        norm = parts.norm(sublayer)
        query = parts.model.group(sublayer, .crossQuery)
        memory = parts.model.group(sublayer, .crossMemory)
        output = parts.model.group(sublayer, .crossOutput)
    }

    /// What the forward hands to the backward.
    struct State {
        let norm: Norm.State
        /// `[rows, i]`.
        let query: Matrix
        /// `[source rows, 2i]`: k and v side by side.
        let keyValue: Matrix
        /// Those before dropout, and what it kept.
        let probabilities: AttentionProbabilities
        /// `[rows, i]`: input of o; valid in the backward only where o is adapted.
        let attended: Matrix
        /// The result of the output projection and its dropout.
        let end: SublayerEnd
    }

    /// Overwrites `keyValue: [source rows, 2i]` with keys and values, side by side, of the encoder's output `[source rows, d]`.
    func project(_ encoded: Matrix, _ sources: Segments, into keyValue: MutableMatrix, _ pass: Pass) {
        pass.projections.forward(memory, encoded, sources, into: keyValue, pass.context)
    }

    /// Overwrites `y: [rows, d]`; `sources` are the source rows of each segment of `rows`.
    func forward(
        _ x: Matrix, into y: MutableMatrix, _ rows: Segments, keyValue: Matrix, sources: Segments, _ pass: Pass
    ) -> State {
        let inner = parts.configuration.innerWidth
        let normalised = pass.memory(for: query, x.rows, x.columns, else: \.normalised)
        let norm = self.norm.forward(x, into: normalised, pass.workspace)
        let projected = pass.workspace.matrix(x.rows, inner)
        pass.projections.forward(query, norm.output, rows, into: projected, pass.context)
        let attention = attention(pass)
        let probabilities = attention.probabilities(rows, sources)
        let attended = pass.memory(for: output, x.rows, inner, else: \.attended)
        attention.forward(
            projected.readOnly, rows, keys(keyValue, sources), probabilities: probabilities, into: attended)
        let end = pass.finish(output, attended.readOnly, x, into: y, rows, at: place(.crossOutput))
        return State(
            norm: norm, query: projected.readOnly, keyValue: keyValue, probabilities: probabilities,
            attended: attended.readOnly, end: end)
    }

    /// `dx: [rows, d]` holds the gradient of the sublayer's output and receives that of its input if anything below needs it.
    /// Adds to `dEncoded: [source rows, d]`, the gradient of the encoder's output, unless that is nil.
    func backward(
        _ state: State, _ dx: MutableMatrix, _ rows: Segments, encoded: Matrix, sources: Segments,
        dEncoded: MutableMatrix?, _ pass: Pass
    ) {
        let workspace = pass.workspace
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let inner = parts.configuration.innerWidth
        let needsQuery = pass.depth.needsNormGradient(sublayer) || pass.depth.adapts(query)
        let needsMemory = dEncoded != nil || pass.depth.adapts(memory)
        let dAttended = needsQuery || needsMemory ? workspace.matrix(dx.rows, inner) : nil
        pass.finishBackward(
            output, state.attended, state.end, dx.readOnly, rows, into: dAttended)
        guard let dAttended else { return }
        let dQuery = needsQuery ? workspace.matrix(dx.rows, inner) : nil
        let dKeyValue = needsMemory ? workspace.matrix(encoded.rows, 2 * inner) : nil
        attention(pass).backward(
            state.query, state.probabilities, rows, keys(state.keyValue, sources), dContext: dAttended.readOnly,
            dQuery: dQuery, dKeyValue: dKeyValue.map { (key: $0.columns(0, inner), value: $0.columns(inner, inner)) })
        if let dKeyValue {
            let part = dEncoded.map { workspace.matrix($0.rows, $0.columns) }
            pass.projections.backward(memory, encoded, sources, dKeyValue.readOnly, into: part, pass.context)
            if let part, let dEncoded { add(part.readOnly, to: dEncoded) }
        }
        guard let dQuery else { return }
        let needsNorm = pass.depth.needsNormGradient(sublayer)
        let dNormalised = needsNorm ? workspace.matrix(dx.rows, dx.columns) : nil
        pass.projections.backward(query, state.norm.output, rows, dQuery.readOnly, into: dNormalised, pass.context)
        if let dNormalised {
            norm.backward(dNormalised.readOnly, state.norm, addingTo: pass.depth.goesBelow(sublayer) ? dx : nil)
        }
    }

    private func attention(_ pass: Pass) -> Attention {
        Attention(
            heads: parts.configuration.heads, width: parts.configuration.headWidth, dropout: pass.dropout,
            at: place(.crossProbabilities), workspace: pass.workspace)
    }

    private func keys(_ keyValue: Matrix, _ sources: Segments) -> AttentionKeys {
        let inner = parts.configuration.innerWidth
        return AttentionKeys(
            key: keyValue.columns(0, inner), value: keyValue.columns(inner, inner), segments: sources, queryOffset: 0,
            causal: false, bias: nil)
    }

    private func place(_ kind: DropoutKind) -> DropoutPlace {
        DropoutPlace(sublayer.stack, block: sublayer.block, kind)
    }
}
