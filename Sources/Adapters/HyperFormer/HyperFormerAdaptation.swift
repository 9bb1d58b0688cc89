import Backbone
import Kernels
import Tensors

/// One worker's side of HyperFormer++: after self-attention's and feed-forward's output projection
/// `y = z + gamma * normalise(up gelu_new(down z + db) + ub) + beta`, with an adapter for each task.
final class HyperFormerAdaptation: Adaptation {
    private typealias Head = ControllerLayout.Head

    /// Added to the variance in the adapter's norm.
    private static let epsilon: Float = 1e-5

    private let method: HyperFormerMethod
    private let weights: ReadOnlyArena
    private let gradients: Arena?
    private let controllers: [Controller]
    /// The tasks of the micro-batch in the order of their first examples.
    private var tasks: [Int] = []
    /// For each example of the micro-batch the position of its task in `tasks`.
    private var positions: [Int] = []
    /// For each adapter of a stack: `down z + db` of the forward, `[rows, bottleneck]`.
    private var inner: [[MutableMatrix?]]

    init(_ method: HyperFormerMethod, weights: ReadOnlyArena, gradients: Arena?) {
        precondition(weights.count == method.parameters.count)
        precondition(gradients == nil || gradients?.count == weights.count)
        self.method = method
        self.weights = weights
        self.gradients = gradients
        controllers = method.controllers.map {
            Controller($0, taskEmbedding: method.taskEmbedding, weights: weights, gradients: gradients)
        }
        inner = method.controllers.map { Array(repeating: nil, count: $0.adaptersPerTask) }
    }

    /// See `Adaptation`: no group has trainables.
    func adapts(_ group: ProjectionGroup) -> Bool { false }

    /// See `Adaptation`.
    func adapts(_ sublayer: Sublayer) -> Bool { method.number(sublayer) != nil }

    /// See `Adaptation`: the norms of the backbone.
    func gradient(of tensor: String) -> MutableMatrix? {
        guard let gradients, method.norms.contains(tensor), let entry = method.parameters[tensor] else { return nil }
        return gradients.matrix(entry)
    }

    /// See `Adaptation`: generates the adapters of all tasks of the micro-batch.
    func begin(_ context: MicroBatchContext) {
        precondition(
            context.batch.tasks.allSatisfy { (0..<method.tasks).contains($0) },
            "an example of a task that the adapter does not have")
        tasks.removeAll(keepingCapacity: true)
        positions.removeAll(keepingCapacity: true)
        for task in context.batch.tasks {
            if let known = tasks.firstIndex(of: task) {
                positions.append(known)
            } else {
                positions.append(tasks.count)
                tasks.append(task)
            }
        }
        for controller in controllers { controller.forward(tasks, context.workspace) }
    }

    /// See `Adaptation`.
    func finish(_ context: MicroBatchContext) {
        for controller in controllers { controller.backward(tasks, context) }
    }

    func forward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, output: MutableMatrix, context: MicroBatchContext
    ) {}

    func backward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, outputGradient: Matrix, inputGradient: MutableMatrix?,
        context: MicroBatchContext
    ) {}

    /// See `Adaptation`.
    func output(
        _ sublayer: Sublayer, _ z: Matrix, rows: Segments, into y: MutableMatrix, context: MicroBatchContext
    ) {
        guard let number = method.number(sublayer), let stack = method.controller(sublayer.stack) else { return }
        let controller = controllers[stack]
        let a = context.workspace.matrix(z.rows, method.controllers[stack].bottleneck)
        inner[stack][number] = a
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        for run in TaskRuns(rows: rows, tasks: positions) {
            let adapter = Adapter(controller, method.controllers[stack], number, run.task)
            let (part, kept) = (z.rows(run.start, run.count), a.rows(run.start, run.count))
            adapter.down(part, into: kept, context)
            let (xhat, _, _) = unsafe adapter.up(kept.readOnly, context)
            for row in 0..<run.count {
                let target = unsafe y.row(run.start + row)
                unsafe scaleAndShift(
                    xhat.row(row), adapter.values(.normWeight), adapter.values(.normBias), into: target, z.columns)
                unsafe addScaled(part.row(row), 1, to: target, z.columns)
            }
        }
    }

    /// See `Adaptation`.
    func outputBackward(
        _ sublayer: Sublayer, _ z: Matrix, rows: Segments, dy: Matrix, into dz: MutableMatrix,
        context: MicroBatchContext
    ) {
        guard gradients != nil, let number = method.number(sublayer), let stack = method.controller(sublayer.stack),
            let a = inner[stack][number]
        else { return }
        let controller = controllers[stack]
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        for run in TaskRuns(rows: rows, tasks: positions) {
            let adapter = Adapter(controller, method.controllers[stack], number, run.task)
            adapter.backward(
                z.rows(run.start, run.count), a.rows(run.start, run.count).readOnly, dy.rows(run.start, run.count),
                into: dz.rows(run.start, run.count), context)
        }
    }

    /// One generated adapter: of a sublayer for a task.
    private struct Adapter {
        let controller: Controller
        let layout: ControllerLayout
        let number: Int
        let task: Int

        init(_ controller: Controller, _ layout: ControllerLayout, _ number: Int, _ task: Int) {
            self.controller = controller
            self.layout = layout
            self.number = number
            self.task = task
        }

        func values(_ head: Head) -> UnsafePointer<Float> {
            unsafe controller.values(head, adapter: number, task: task)
        }

        private func matrix(_ head: Head, _ rows: Int, _ columns: Int) -> Matrix {
            unsafe Matrix(values(head), rows: rows, columns: columns)
        }

        private func gradient(_ head: Head) -> UnsafeMutablePointer<Float> {
            unsafe controller.valueGradients(head, adapter: number, task: task)
        }

        private var upWeight: Matrix { matrix(.upWeight, layout.modelWidth, layout.bottleneck) }
        private var downWeight: Matrix { matrix(.downWeight, layout.bottleneck, layout.modelWidth) }

        /// `a = z down^T + db`: overwrites `a: [rows, m]`.
        func down(_ z: Matrix, into a: MutableMatrix, _ context: MicroBatchContext) {
            for row in 0..<a.rows { unsafe a.row(row).update(from: values(.downBias), count: a.columns) }
            smallProduct(
                .asIs(z), .transposed(downWeight), into: a, adding: true, independentRows: context.independentRows,
                context.workspace)
        }

        /// From `a`: `h = gelu_new(a)`, and `normalise(h up^T + ub)` with the reciprocal roots of the norm; all taken from the
        /// workspace.
        func up(
            _ a: Matrix, _ context: MicroBatchContext
        ) -> (normalised: MutableMatrix, inverse: UnsafeMutablePointer<Float>, h: MutableMatrix) {
            let h = context.workspace.matrix(a.rows, a.columns)
            gelu(a, into: h)
            let o = context.workspace.matrix(a.rows, layout.modelWidth)
            for row in 0..<o.rows { unsafe o.row(row).update(from: values(.upBias), count: o.columns) }
            smallProduct(
                .asIs(h.readOnly), .transposed(upWeight), into: o, adding: true,
                independentRows: context.independentRows, context.workspace)
            let inverse = unsafe context.workspace.take(Float.self, o.rows)
            unsafe normalise(o.readOnly, epsilon: HyperFormerAdaptation.epsilon, into: o, inverse: inverse)
            return unsafe (o, inverse, h)
        }

        /// From dy of the run's rows: adds the gradients of the adapter's numbers and overwrites `dz`.
        func backward(
            _ z: Matrix, _ a: Matrix, _ dy: Matrix, into dz: MutableMatrix, _ context: MicroBatchContext
        ) {
            let workspace = context.workspace
            let mark = workspace.mark
            defer { workspace.release(to: mark) }
            let (xhat, inverse, h) = unsafe up(a, context)
            unsafe addColumnDots(dy, xhat.readOnly, to: gradient(.normWeight))
            unsafe addColumnSums(dy, to: gradient(.normBias))
            let dO = workspace.matrix(dy.rows, dy.columns)
            unsafe scaleColumns(dy, by: values(.normWeight), into: dO)
            unsafe normaliseBackward(dO.readOnly, normalised: xhat.readOnly, inverse: inverse, into: dO)
            unsafe addColumnSums(dO.readOnly, to: gradient(.upBias))
            let (d, m) = (layout.modelWidth, layout.bottleneck)
            unsafe addOuterProduct(
                h.readOnly, dO.readOnly, to: MutableMatrix(gradient(.upWeight), rows: d, columns: m), transposed: true,
                workspace)
            let dA = workspace.matrix(a.rows, a.columns)
            smallProduct(.asIs(dO.readOnly), .asIs(upWeight), into: dA, workspace)
            geluBackward(dA.readOnly, a, into: dA)
            unsafe addColumnSums(dA.readOnly, to: gradient(.downBias))
            unsafe addOuterProduct(
                dA.readOnly, z, to: MutableMatrix(gradient(.downWeight), rows: m, columns: d), workspace)
            copy(dy, into: dz)
            smallProduct(.asIs(dA.readOnly), .asIs(downWeight), into: dz, adding: true, workspace)
        }
    }
}
