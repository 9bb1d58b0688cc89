import Backbone
import Kernels
import Tensors

/// One worker's side of a stack's controller: generates the adapters of all sublayers of the stack for all tasks of a
/// micro-batch, and takes their gradients back.
///
/// Row `number * tasks + k` of each matrix belongs to the adapter `number` of the stack and the k-th task of the micro-batch.
final class Controller {
    private let layout: ControllerLayout
    private let taskEmbedding: ParameterLayout.Entry
    private let weights: ReadOnlyArena
    private let gradients: Arena?

    private var tasks = 0
    private var pass: Pass?
    /// For each head the generated numbers and their gradients, `[rows, size]`.
    private var generated: [MutableMatrix] = []
    private var generatedGradients: [MutableMatrix] = []

    /// What the forward of a micro-batch keeps for the backward. Safe like the matrices that it consists of.
    @safe private struct Pass {
        /// `[rows, 3 width]`: embeddings of task, block and type side by side.
        let input: Matrix
        /// `[rows, 2 width]`, after the ReLU.
        let hidden: Matrix
        /// `[rows, width]`, before the norm's factor and summand.
        let normalised: Matrix
        /// `[rows]`.
        let inverse: UnsafePointer<Float>
        /// `[rows, width]`: what the heads read.
        let state: Matrix
    }

    init(
        _ layout: ControllerLayout, taskEmbedding: ParameterLayout.Entry, weights: ReadOnlyArena, gradients: Arena?
    ) {
        self.layout = layout
        self.taskEmbedding = taskEmbedding
        self.weights = weights
        self.gradients = gradients
    }

    /// The numbers that a head generated for an adapter and the k-th task.
    func values(_ head: ControllerLayout.Head, adapter: Int, task k: Int) -> UnsafePointer<Float> {
        unsafe UnsafePointer(generated[head.rawValue].row(adapter * tasks + k))
    }

    /// Where the gradient of these numbers is added; only after a `forward` with gradients.
    func valueGradients(_ head: ControllerLayout.Head, adapter: Int, task k: Int) -> UnsafeMutablePointer<Float> {
        unsafe generatedGradients[head.rawValue].row(adapter * tasks + k)
    }

    /// Generates the adapters of the stack for these tasks. The memory comes from the workspace.
    func forward(_ chosen: [Int], _ workspace: Workspace) {
        let e = ControllerLayout.width
        tasks = chosen.count
        let rows = layout.adaptersPerTask * tasks
        let input = workspace.matrix(rows, 3 * e)
        for row in 0..<rows {
            let (adapter, task) = (row / tasks, chosen[row % tasks])
            let (target, types) = unsafe (input.row(row), ControllerLayout.types.count)
            unsafe target.update(from: weights.matrix(taskEmbedding).row(task), count: e)
            unsafe (target + e).update(from: weights.matrix(layout.blockEmbedding).row(adapter / types), count: e)
            unsafe (target + 2 * e).update(from: weights.matrix(layout.typeEmbedding).row(adapter % types), count: e)
        }
        let hidden = workspace.matrix(rows, 2 * e)
        linear(input.readOnly, layout.layers[0], into: hidden)
        relu(hidden)
        let (normalised, state) = (workspace.matrix(rows, e), workspace.matrix(rows, e))
        let inverse = unsafe workspace.take(Float.self, rows)
        linear(hidden.readOnly, layout.layers[1], into: normalised)
        unsafe layerNorm(
            normalised.readOnly, weight: weights.base + layout.normWeight.offset,
            bias: weights.base + layout.normBias.offset, epsilon: ControllerLayout.epsilon, normalised: normalised,
            inverse: inverse, into: state)
        pass = unsafe Pass(
            input: input.readOnly, hidden: hidden.readOnly, normalised: normalised.readOnly,
            inverse: UnsafePointer(inverse), state: state.readOnly)
        generated.removeAll(keepingCapacity: true)
        generatedGradients.removeAll(keepingCapacity: true)
        for head in ControllerLayout.Head.all {
            let y = workspace.matrix(rows, layout.size(head))
            linear(state.readOnly, layout.entries(head), into: y)
            generated.append(y)
            if gradients != nil { generatedGradients.append(workspace.zeroMatrix(rows, layout.size(head))) }
        }
    }

    /// `y = x W^T + b`: overwrites `y`. A head has far more rows than `x`, so they are read once and not copied into panels,
    /// which would take more memory than everything else here.
    private func linear(_ x: Matrix, _ layer: LinearEntries, into y: MutableMatrix) {
        for row in 0..<y.rows { unsafe y.row(row).update(from: weights.base + layer.bias.offset, count: y.columns) }
        rowProduct(x, weights.matrix(layer.weight), into: y, adding: true)
    }

    /// Takes the gradients of the generated numbers back to the controller's tensors and the embeddings.
    func backward(_ chosen: [Int], _ context: MicroBatchContext) {
        guard let gradients, let pass else { return }
        let (workspace, e) = (context.workspace, ControllerLayout.width)
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let dState = workspace.zeroMatrix(pass.state.rows, e)
        for head in ControllerLayout.Head.all {
            linearBackward(
                generatedGradients[head.rawValue].readOnly, pass.state, layout.entries(head), gradients,
                addingTo: dState)
        }
        unsafe addColumnDots(dState.readOnly, pass.normalised, to: gradients.base + layout.normWeight.offset)
        unsafe addColumnSums(dState.readOnly, to: gradients.base + layout.normBias.offset)
        unsafe scaleColumns(dState.readOnly, by: weights.base + layout.normWeight.offset, into: dState)
        unsafe normaliseBackward(dState.readOnly, normalised: pass.normalised, inverse: pass.inverse, into: dState)
        let dHidden = workspace.zeroMatrix(pass.hidden.rows, 2 * e)
        linearBackward(dState.readOnly, pass.hidden, layout.layers[1], gradients, addingTo: dHidden)
        reluBackward(dHidden, result: pass.hidden, scale: 1)
        let dInput = workspace.zeroMatrix(pass.input.rows, 3 * e)
        linearBackward(dHidden.readOnly, pass.input, layout.layers[0], gradients, addingTo: dInput)
        scatter(dInput.readOnly, chosen, gradients)
    }

    /// Adds `dW += dy^T x`, `db += ` sums of the columns of dy, and `dx += dy W`.
    private func linearBackward(
        _ dy: Matrix, _ x: Matrix, _ layer: LinearEntries, _ gradients: Arena, addingTo dx: MutableMatrix
    ) {
        gemm(.transposed(dy), .asIs(x), into: gradients.matrix(layer.weight), beta: 1)
        unsafe addColumnSums(dy, to: gradients.base + layer.bias.offset)
        gemm(.asIs(dy), .asIs(weights.matrix(layer.weight)), into: dx, beta: 1)
    }

    /// Adds the parts of the input's gradient to the embeddings of task, block and type.
    private func scatter(_ dInput: Matrix, _ chosen: [Int], _ gradients: Arena) {
        let (e, types) = (ControllerLayout.width, ControllerLayout.types.count)
        for row in 0..<dInput.rows {
            let (adapter, task) = (row / tasks, chosen[row % tasks])
            let source = unsafe dInput.row(row)
            unsafe addScaled(source, 1, to: gradients.matrix(taskEmbedding).row(task), e)
            unsafe addScaled(source + e, 1, to: gradients.matrix(layout.blockEmbedding).row(adapter / types), e)
            unsafe addScaled(source + 2 * e, 1, to: gradients.matrix(layout.typeEmbedding).row(adapter % types), e)
        }
    }
}
