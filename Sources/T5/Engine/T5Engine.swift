import Kernels
import Tensors

/// One worker's T5: forward, backward and generation over ragged micro-batches with one adaptation.
///
/// An engine belongs to one thread at a time; engines of several workers share the model. Its results depend on the
/// micro-batch alone, not on which engine computes it.
///
/// Order of use for training: `forward`, then `backward`. Activations live in the workspace until the next `forward` or
/// `generate`.
public final class T5Engine {
    /// The frozen backbone.
    public let model: T5Model
    /// The method; nil for the frozen backbone alone.
    public let adaptation: (any Adaptation)?
    /// Scratch memory.
    public let workspace: Workspace

    var encoder: [EncoderBlockState]
    var decoder: [DecoderBlockState]
    var pass = PassState()
    /// Losses of the examples of the last pass, kept for their memory.
    var losses: [Double] = []
    let depth: BackwardDepth
    /// This worker's products with frozen weights.
    let products: FrozenProducts

    /// Creates an engine for one worker.
    public init(model: T5Model, adaptation: (any Adaptation)?, workspace: Workspace = Workspace()) {
        self.model = model
        self.adaptation = adaptation
        self.workspace = workspace
        products = FrozenProducts()
        encoder = Array(repeating: EncoderBlockState(), count: model.configuration.encoderBlocks)
        decoder = Array(repeating: DecoderBlockState(), count: model.configuration.decoderBlocks)
        depth = BackwardDepth(groups: model.groups) { adaptation?.adapts($0) ?? false }
    }

    var configuration: T5Configuration { model.configuration }

    /// Rows of a matrix as one segment per example.
    func segments(_ lengths: [Int]) -> Segments {
        var next = 0
        return Segments(
            lengths.count, in: workspace,
            start: { segment in
                defer { next += lengths[segment] }
                return next
            }, length: { lengths[$0] }, example: { $0 })
    }

    /// `y = x W^T` for all projections of a group side by side, the method's part included. Overwrites `y`.
    func project(_ group: ProjectionGroup, _ x: Matrix, _ rows: Segments, into y: Matrix) {
        model.weights(group).multiply(x, into: y, independentRows: pass.independentRows, products)
        adaptation?.forward(group, input: x, rows: rows, output: y, context: pass.context!)
    }

    /// Backward of `project`: adds the trainables' gradients; overwrites `dx` when it is wanted.
    func projectBackward(
        _ group: ProjectionGroup, _ x: Matrix, _ rows: Segments, _ dy: Matrix, into dx: Matrix?
    ) {
        if let dx { model.weights(group).multiplyTransposed(dy, into: dx, products) }
        if depth.adapts(group) {
            adaptation?.backward(
                group, input: x, rows: rows, outputGradient: dy, inputGradient: dx, context: pass.context!)
        }
    }

    /// `y = x + drop(z)`: the end of a sublayer.
    func residual(_ z: Matrix, _ x: Matrix, into y: Matrix, _ rows: Segments, place: UInt32) {
        if let dropout = pass.dropout {
            dropout.applyAdding(z, to: x, into: y, rows, slots: pass.slots, place: place)
        } else {
            sum(x, z, into: y)
        }
    }

    /// `y = drop(x)`; a view of `x` itself when nothing is dropped.
    func dropped(_ x: Matrix, _ rows: Segments, place: UInt32) -> Matrix {
        guard let dropout = pass.dropout else { return x }
        let y = workspace.matrix(x.rows, x.columns)
        dropout.apply(x, into: y, rows, slots: pass.slots, place: place)
        return y
    }

    /// `x = drop(x)` in place; its own backward too.
    func drop(_ x: Matrix, _ rows: Segments, place: UInt32) {
        pass.dropout?.apply(x, into: x, rows, slots: pass.slots, place: place)
    }

    /// Normalises into fresh memory.
    func normalise(_ x: Matrix, _ weight: UnsafePointer<Float>) -> NormState {
        normalise(x, weight, into: workspace.matrix(x.rows, x.columns))
    }

    /// Normalises what the projections of a group read: into fresh memory when an adapted one needs it again.
    func normalise(_ x: Matrix, _ weight: UnsafePointer<Float>, for group: ProjectionGroup) -> NormState {
        normalise(x, weight, into: keeping(group, x.rows, x.columns, \.normalised))
    }

    /// Memory for the input of a group: fresh where an adapted projection needs it in the backward, else scratch.
    func keeping(
        _ group: ProjectionGroup, _ rows: Int, _ columns: Int, _ scratch: KeyPath<PassScratch, Matrix>
    ) -> Matrix {
        guard let memory = pass.scratch, !(pass.keepsActivations && depth.adapts(group)) else {
            return workspace.matrix(rows, columns)
        }
        return memory[keyPath: scratch].rows(0, rows)
    }

    private func normalise(_ x: Matrix, _ weight: UnsafePointer<Float>, into y: Matrix) -> NormState {
        let state = NormState(input: x, output: y, inverse: workspace.take(Float.self, x.rows))
        rmsNorm(x, weight: weight, epsilon: configuration.normEpsilon, into: state.output, inverse: state.inverse)
        return state
    }
}
