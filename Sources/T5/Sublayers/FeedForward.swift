import Backbone
import Kernels
import Tensors

/// The feed-forward of a block, `y = x + drop(wo(drop(act(wi(norm(x))))))`.
struct FeedForward {
    private let sublayer: Sublayer
    private let parts: T5Parts
    private let norm: Norm
    private let input: ProjectionGroup
    private let output: ProjectionGroup

    init(_ stack: Stack, _ block: Int, _ parts: T5Parts) {
        sublayer = Sublayer(stack, block, .feedForward)
        self.parts = parts
        norm = parts.norm(sublayer)
        input = parts.model.group(sublayer, .feedForwardInput)
        output = parts.model.group(sublayer, .feedForwardOutput)
    }

    /// What the forward hands to the backward.
    struct State {
        let norm: Norm.State
        /// The state between the two matrices.
        let activation: Activation
        /// `[rows, d_ff]`: input of wo; valid in the backward only where wo is adapted.
        let inner: Matrix
        /// The result of the output projection and its dropout.
        let end: SublayerEnd
    }

    enum Activation {
        /// ReLU: which elements it and the dropout kept; nil when no backward follows.
        case relu(BitMask?)
        /// `[rows, 2 d_ff]`: both gates before the activation.
        case gated(MutableMatrix)
    }

    /// Overwrites `y: [rows, d]`.
    func forward(_ x: Matrix, into y: MutableMatrix, _ rows: Segments, _ pass: Pass) -> State {
        let width = parts.configuration.feedForwardWidth
        let normalised = pass.memory(for: input, x.rows, x.columns, else: \.normalised)
        let norm = self.norm.forward(x, into: normalised, pass.workspace)
        let inner = pass.memory(for: output, x.rows, width, else: \.inner)
        let activation: Activation
        switch parts.configuration.feedForward {
        case .relu:
            pass.projections.forward(input, norm.output, rows, into: inner, pass.context)
            activation = .relu(dropRelu(inner, rows, pass))
        case .gatedGelu:
            let both = pass.workspace.matrix(x.rows, 2 * width)
            pass.projections.forward(input, norm.output, rows, into: both, pass.context)
            gatedGelu(both.columns(0, width).readOnly, both.columns(width, width).readOnly, into: inner)
            activation = .gated(both)
            pass.dropout.apply(inner, rows, at: place(.feedForwardInner))
        }
        let end = pass.finish(output, inner.readOnly, x, into: y, rows, at: place(.feedForwardOutput))
        return State(norm: norm, activation: activation, inner: inner.readOnly, end: end)
    }

    /// `dx: [rows, d]` holds the gradient of the sublayer's output and receives that of its input if anything below needs it.
    /// Overwrites the gates.
    func backward(_ state: State, _ dx: MutableMatrix, _ rows: Segments, _ pass: Pass) {
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        let width = parts.configuration.feedForwardWidth
        let needsInner = pass.depth.needsInnerGradient(sublayer)
        let dInner = needsInner ? pass.workspace.matrix(dx.rows, width) : nil
        pass.finishBackward(
            output, state.inner, state.end, dx.readOnly, rows, into: dInner)
        guard let dInner else { return }
        var dProjected = dInner
        switch state.activation {
        case .gated(let gates):
            pass.dropout.apply(dInner, rows, at: place(.feedForwardInner))
            gatedGeluBackward(dInner.readOnly, gates.columns(0, width), gates.columns(width, width))
            dProjected = gates
        case .relu(let mask):
            guard let mask else { preconditionFailure("a forward that keeps its activations comes first") }
            reluBackward(dInner, mask: mask, scale: pass.dropout.scale)
        }
        let needsNorm = pass.depth.needsNormGradient(sublayer)
        let dNormalised = needsNorm ? pass.workspace.matrix(dx.rows, dx.columns) : nil
        pass.projections.backward(input, state.norm.output, rows, dProjected.readOnly, into: dNormalised, pass.context)
        if let dNormalised {
            norm.backward(dNormalised.readOnly, state.norm, addingTo: pass.depth.goesBelow(sublayer) ? dx : nil)
        }
    }

    /// `h = drop(relu(h))` in place; returns which elements it kept when a backward may follow.
    private func dropRelu(_ h: MutableMatrix, _ rows: Segments, _ pass: Pass) -> BitMask? {
        guard pass.keepsActivations else {
            relu(h)
            return nil
        }
        let mask = BitMask(in: pass.workspace, rows: h.rows, columns: h.columns)
        guard let masks = pass.dropout.masks else {
            relu(h, mask: mask)
            return mask
        }
        for segment in 0..<rows.count {
            let (start, length) = (rows.start(segment), rows.length(segment))
            unsafe masks.applyRelu(
                h, start..<start + length, mask: mask, slot: pass.dropout.slots[rows.example(segment)],
                place: place(.feedForwardInner).number)
        }
        return mask
    }

    private func place(_ kind: DropoutKind) -> DropoutPlace {
        DropoutPlace(sublayer.stack, block: sublayer.block, kind)
    }
}
