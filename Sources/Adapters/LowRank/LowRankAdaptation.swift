import Backbone
import Kernels
import Tensors

/// One worker's side of the low-rank methods: `y += (alpha/rankA) ((((drop(x) A^T) * s) C^T) B^T)` at every site.
///
/// `unolora` has s = 1, `unolora_star` takes s from the hypernetwork, and `lora_per_task` uses the A, B and C of the example's
/// task. C is absent when the ranks are equal. Each worker has its own object; all share the weights.
final class LowRankAdaptation: Adaptation {
    let layout: LowRankMethod
    private let weights: ReadOnlyArena
    private let gradients: Arena?
    private let hypernetwork: Hypernetwork?
    private let factor: Float
    private(set) var dropout: Dropout?
    /// For each group: `drop(x) A^T` of its sites side by side, `[rows, sites * rankA]`.
    private var lowRank: [Matrix?]
    /// For each group: which elements of its input were kept, for each mask that is drawn for it.
    private var kept: [BitMask?]
    /// Where some rows of an input are dropped, and where their gradient is computed. Always the same memory, which so stays in the
    /// cache.
    private(set) var someRows: MutableMatrix?
    /// The method's footprint. It is computed once, since computing it allocates and a step must not.
    private let footprint: MethodFootprint
    /// Whether inputs are taken as a whole instead of in blocks of rows.
    var takesWholeInputs: Bool { footprint.takesWholeInputs }

    var options: LowRankOptions { layout.options }
    private var rankA: Int { options.rankA }

    /// Creates a worker's view; `gradients` (nil for evaluation) has the layout of `weights` and is added to.
    init(_ layout: LowRankMethod, weights: ReadOnlyArena, gradients: Arena?) {
        precondition(weights.count == layout.parameters.count)
        precondition(gradients == nil || gradients?.count == weights.count)
        self.layout = layout
        self.weights = weights
        self.gradients = gradients
        factor = Float(layout.options.alpha / Double(layout.options.rankA))
        hypernetwork = layout.hypernetwork.map { Hypernetwork($0, weights: weights, gradients: gradients) }
        lowRank = Array(repeating: nil, count: layout.groups.count)
        kept = Array(repeating: nil, count: layout.groups.count)
        footprint = layout.footprint
    }

    /// See `Adaptation`: whether the group has sites.
    func adapts(_ group: ProjectionGroup) -> Bool { !layout.groups[group.index].sites.isEmpty }

    /// See `Adaptation`: runs the hypernetwork, once for all sites. Every example's task must be one of the adapter's.
    func begin(_ context: MicroBatchContext) {
        precondition(
            context.batch.tasks.allSatisfy { (0..<options.tasks).contains($0) },
            "an example of a task that the adapter does not have")
        dropout = nil
        if let key = context.dropout, options.dropout > 0 {
            dropout = Dropout(seed: key.seed, step: key.step, rate: options.dropout)
        }
        someRows = nil
        // Workers that train also evaluate, and then nothing reads it.
        if dropout != nil || gradients != nil && !context.independentRows {
            let rows = context.batch.sources.count + context.batch.targets.count
            someRows = context.workspace.matrix(1, footprint.inputFloats(rows: rows))
        }
        hypernetwork?.forward(context)
    }

    /// See `Adaptation`: runs the hypernetwork's backward.
    func finish(_ context: MicroBatchContext) { hypernetwork?.backward(context) }

    /// Adds `(alpha/rankA) (((drop(x) A^T) * s) C^T) B^T` of each site to its columns of `output`.
    func forward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, output: MutableMatrix, context: MicroBatchContext
    ) {
        let sites = layout.groups[group.index].sites
        guard !sites.isEmpty else { return }
        let workspace = context.workspace
        let h = workspace.matrix(input.rows, sites.count * rankA)
        lowRank[group.index] = h.readOnly
        kept[group.index] = masks(group, input, workspace)
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        for number in 0..<inputs(group) {
            let chosen = readers(group, number)
            for run in runs(rows, context) {
                let mark = workspace.mark
                let packed = PackedOperand(.transposed(a(group, chosen, run.task, of: weights)), workspace)
                for block in blocks(run, input.columns) {
                    let x = dropped(group, number, input, block, kept[group.index], draws: true, rows, context)
                    smallProduct(
                        .asIs(x), packed,
                        into: h.rows(block.lowerBound, block.count).columns(
                            chosen.lowerBound * rankA, chosen.count * rankA),
                        independentRows: context.independentRows, workspace)
                }
                workspace.release(to: mark)
            }
        }
        for (position, site) in sites.enumerated() {
            let inner = middle(site, position, h.readOnly, rows, context).inner
            let target = output.columns(site.projection.outputOffset, site.projection.outputWidth)
            for run in runs(rows, context) {
                smallProduct(
                    .asIs(inner.rows(run.start, run.count)), .transposed(tensor(site.b, run.task, of: weights)),
                    into: target.rows(run.start, run.count), alpha: factor, adding: true,
                    independentRows: context.independentRows, context.workspace)
            }
        }
    }

    /// Adds dA, dB, dC and ds of each site, and the low-rank part of dx to `inputGradient`. The products of what is frozen are left
    /// out.
    func backward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, outputGradient: Matrix, inputGradient: MutableMatrix?,
        context: MicroBatchContext
    ) {
        let sites = layout.groups[group.index].sites
        guard let gradients, !sites.isEmpty, let h = lowRank[group.index] else { return }
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let dh = context.workspace.matrix(h.rows, h.columns)
        let trainsA = !options.freezesA
        let needsH = trainsA || inputGradient != nil
        for (position, site) in sites.enumerated() {
            let dy = outputGradient.columns(site.projection.outputOffset, site.projection.outputWidth)
            siteBackward(site, position, h, dy, into: dh, needsH: needsH, rows, context, gradients)
        }
        guard needsH else { return }
        for number in 0..<inputs(group) {
            for run in runs(rows, context) {
                inputBackward(
                    group, number, run, input, dh.readOnly, into: inputGradient, trainsA: trainsA, rows, context,
                    gradients)
            }
        }
    }

    /// Adds dA of the sites that read one input, and their part of dx to `inputGradient`, for the rows of one run.
    private func inputBackward(
        _ group: ProjectionGroup, _ number: Int, _ run: TaskRuns.Run, _ input: Matrix, _ dh: Matrix,
        into inputGradient: MutableMatrix?, trainsA: Bool, _ rows: Segments, _ context: MicroBatchContext,
        _ gradients: Arena
    ) {
        let workspace = context.workspace
        let mark = workspace.mark
        defer { workspace.release(to: mark) }
        let chosen = readers(group, number)
        let kept = kept[group.index]
        let sums = trainsA ? workspace.zeroMatrix(chosen.count * rankA, input.columns) : nil
        for block in blocks(run, input.columns) {
            let d = dh.rows(block.lowerBound, block.count).columns(chosen.lowerBound * rankA, chosen.count * rankA)
            if let sums {
                let x = dropped(group, number, input, block, kept, draws: false, rows, context)
                sumOuterProduct(d, x, in: sums)
            }
            guard let target = inputGradient?.rows(block.lowerBound, block.count) else { continue }
            let dx = rowsOfInput(block.count, input.columns)
            smallProduct(.asIs(d), .asIs(a(group, chosen, run.task, of: weights)), into: dx, workspace)
            // x is drop(input), so the gradient goes through the same mask.
            if let dropout, let kept {
                mask(kept, group, number, block, of: input).applyAdding(dx.readOnly, scale: dropout.scale, to: target)
            } else {
                add(dx.readOnly, to: target)
            }
        }
        if let sums { add(sums.readOnly, to: a(group, chosen, run.task, of: gradients)) }
    }

    /// From dy of one site computes dB, dC, ds and, if `needsH`, the site's columns of `dh` (overwritten).
    private func siteBackward(
        _ site: Site, _ position: Int, _ h: Matrix, _ dy: Matrix, into dh: MutableMatrix, needsH: Bool,
        _ rows: Segments, _ context: MicroBatchContext, _ gradients: Arena
    ) {
        let mark = context.workspace.mark
        defer { context.workspace.release(to: mark) }
        let trainsB = !options.freezesB
        let trainsScales = hypernetwork?.scaleGradients != nil
        // Only the gradients of B and C read what is between A and B.
        let read = trainsB || site.c != nil ? middle(site, position, h, rows, context) : nil
        let target = dh.columns(position * rankA, rankA)
        let dInner = site.c == nil ? target : context.workspace.matrix(dh.rows, options.rankB)
        for run in runs(rows, context) {
            let part = dy.rows(run.start, run.count)
            if trainsB, let read {
                addOuterProduct(
                    read.inner.rows(run.start, run.count), part, to: tensor(site.b, run.task, of: gradients),
                    transposed: true, alpha: factor, context.workspace)
            }
            guard needsH || trainsScales || site.c != nil else { continue }
            smallProduct(
                .asIs(part), .asIs(tensor(site.b, run.task, of: weights)), into: dInner.rows(run.start, run.count),
                alpha: factor, context.workspace)
            if let c = site.c, let read {
                let dPart = dInner.rows(run.start, run.count)
                addOuterProduct(
                    dPart.readOnly, read.scaled.rows(run.start, run.count), to: tensor(c, run.task, of: gradients),
                    context.workspace)
                smallProduct(
                    .asIs(dPart.readOnly), .asIs(tensor(c, run.task, of: weights)),
                    into: target.rows(run.start, run.count), context.workspace)
            }
        }
        guard let hypernetwork, needsH || trainsScales else { return }
        for segment in 0..<rows.count {
            let d = target.rows(rows.start(segment), rows.length(segment))
            let own = h.rows(rows.start(segment), rows.length(segment)).columns(position * rankA, rankA)
            if let ds = unsafe hypernetwork.scaleGradient(example: rows.example(segment), site: site.index) {
                unsafe addColumnDots(d.readOnly, own, to: ds)
            }
            let scales = unsafe hypernetwork.scale(example: rows.example(segment), site: site.index)
            unsafe scaleColumns(d.readOnly, by: scales, into: d)
        }
    }

    /// The values between A and B for one site: `h * s` and `(h * s) C^T`; views of `h` itself when nothing changes it.
    private func middle(
        _ site: Site, _ position: Int, _ h: Matrix, _ rows: Segments, _ context: MicroBatchContext
    ) -> (scaled: Matrix, inner: Matrix) {
        var scaled = h.columns(position * rankA, rankA)
        if let hypernetwork {
            let y = context.workspace.matrix(h.rows, rankA)
            for segment in 0..<rows.count {
                let (start, length) = (rows.start(segment), rows.length(segment))
                unsafe scaleColumns(
                    scaled.rows(start, length),
                    by: hypernetwork.scale(example: rows.example(segment), site: site.index),
                    into: y.rows(start, length))
            }
            scaled = y.readOnly
        }
        guard let c = site.c else { return (scaled, scaled) }
        let inner = context.workspace.matrix(h.rows, options.rankB)
        for run in runs(rows, context) {
            smallProduct(
                .asIs(scaled.rows(run.start, run.count)), .transposed(tensor(c, run.task, of: weights)),
                into: inner.rows(run.start, run.count), independentRows: context.independentRows, context.workspace)
        }
        return (scaled, inner.readOnly)
    }
}

extension LowRankAdaptation {
    /// One run of all rows, or for `lora_per_task` a run for each stretch of examples with the same task.
    private func runs(_ rows: Segments, _ context: MicroBatchContext) -> TaskRuns {
        TaskRuns(rows: rows, tasks: options.method == .loraPerTask ? context.batch.tasks : nil)
    }

    /// The A's of neighbouring sites as one matrix, `[sites * rankA, in]`.
    private func a(_ group: ProjectionGroup, _ chosen: Range<Int>, _ task: Int, of arena: ReadOnlyArena) -> Matrix {
        let (offset, rows, columns) = place(group, chosen, task)
        return arena.matrix(at: offset, rows: rows, columns: columns)
    }

    /// Their gradients.
    private func a(_ group: ProjectionGroup, _ chosen: Range<Int>, _ task: Int, of arena: Arena) -> MutableMatrix {
        let (offset, rows, columns) = place(group, chosen, task)
        return arena.matrix(at: offset, rows: rows, columns: columns)
    }

    private func place(
        _ group: ProjectionGroup, _ chosen: Range<Int>, _ task: Int
    ) -> (offset: Int, rows: Int, columns: Int) {
        let first = layout.groups[group.index].sites[chosen.lowerBound]
        if options.method == .loraPerTask { return place(first.a, task) }
        return (first.a.offset, chosen.count * rankA, first.projection.inputWidth)
    }

    /// A tensor, or one task's part of it.
    private func tensor(_ entry: ParameterLayout.Entry, _ task: Int, of arena: ReadOnlyArena) -> Matrix {
        let (offset, rows, columns) = place(entry, task)
        return arena.matrix(at: offset, rows: rows, columns: columns)
    }

    /// Its gradient.
    private func tensor(_ entry: ParameterLayout.Entry, _ task: Int, of arena: Arena) -> MutableMatrix {
        let (offset, rows, columns) = place(entry, task)
        return arena.matrix(at: offset, rows: rows, columns: columns)
    }

    /// The tensor is `[rows, columns]`, or for `lora_per_task` `[tasks, rows, columns]`.
    private func place(_ entry: ParameterLayout.Entry, _ task: Int) -> (offset: Int, rows: Int, columns: Int) {
        let dimensions = entry.shape.count
        let (rows, columns) = (entry.shape[dimensions - 2], entry.shape[dimensions - 1])
        return (entry.offset + task * rows * columns, rows, columns)
    }
}
