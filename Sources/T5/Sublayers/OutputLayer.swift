import Backbone
import Kernels
import Tensors

/// From the decoder's residual stream to logits: final norm, dropout, scale and output matrix.
struct OutputLayer {
    private let parts: T5Parts
    private let norm: Norm

    init(_ parts: T5Parts) {
        self.parts = parts
        norm = parts.finalNorm(.decoder)
    }

    /// What the forward hands to the backward.
    struct State {
        let norm: Norm.State
        /// `[rows, d]`: the input of the output matrix.
        let hidden: Matrix
        /// `[rows, vocabulary]`; the loss overwrites the logits with probabilities, and its backward with their gradients.
        let logits: MutableMatrix
    }

    /// Reads `x: [rows, d]`.
    func forward(_ x: Matrix, _ rows: Segments, _ pass: Pass) -> State {
        let workspace = pass.workspace
        let norm = self.norm.forward(x, into: workspace.matrix(x.rows, x.columns), workspace)
        let hidden = workspace.matrix(x.rows, x.columns)
        copy(norm.output, into: hidden)
        pass.dropout.apply(hidden, rows, at: place)
        if parts.configuration.outputScale != 1 { scale(hidden, by: parts.configuration.outputScale) }
        let logits = workspace.matrix(hidden.rows, parts.configuration.vocabularySize)
        parts.model.output.multiply(
            hidden.readOnly, into: logits, independentRows: pass.context.independentRows, pass.projections.products)
        return State(norm: norm, hidden: hidden.readOnly, logits: logits)
    }

    /// Reads the gradients in `state.logits`. Adds the gradients of everything trained, and adds to `dx: [rows, d]` if anything
    /// below the final norm needs it.
    func backward(_ state: State, _ rows: Segments, addingTo dx: MutableMatrix, _ pass: Pass) {
        let mark = pass.workspace.mark
        defer { pass.workspace.release(to: mark) }
        if let gradient = parts.gradients.output {
            gemm(
                .transposed(state.logits.readOnly), .asIs(state.hidden),
                into: gradient, beta: 1)
        }
        guard pass.depth.needsFinalNormGradient(.decoder) else { return }
        let dHidden = pass.workspace.matrix(dx.rows, dx.columns)
        parts.model.output.multiplyTransposed(state.logits.readOnly, into: dHidden, pass.projections.products)
        if parts.configuration.outputScale != 1 { scale(dHidden, by: parts.configuration.outputScale) }
        pass.dropout.apply(dHidden, rows, at: place)
        norm.backward(dHidden.readOnly, state.norm, addingTo: pass.depth.goesBelowFinalNorm(.decoder) ? dx : nil)
    }

    private var place: DropoutPlace { DropoutPlace(.decoder, block: 0, .finalNorm) }
}
