import Backbone
import Kernels
import Tensors

/// One worker's side of the hypernetwork of UnoLoRA*: scales of every example at every site, and their backward.
///
/// `s_m = 1 + U_m u_m + c_m` with `u_m = mlp([task; position_m; sample])`, `sample = encoder(mean input embedding)`.
final class Hypernetwork {
    private let layout: HypernetworkLayout
    private let weights: ReadOnlyArena
    /// Nil where nothing is trained.
    private let gradients: Arena?
    /// For each task whether its embedding is trained; nil where the whole hypernetwork is.
    private let trainedTasks: [Bool]?

    /// Scales: row `example * sites + m`, `[examples * sites, r]`.
    private(set) var scales: Matrix
    /// The gradient of the scales; the sites add to it. Nil where no gradient of the hypernetwork depends on it.
    private(set) var scaleGradients: MutableMatrix?
    /// Inputs of the layers of the sample encoder and of the mlp, and the final results.
    private var sampleActivations: [Matrix] = []
    private var mlpActivations: [Matrix] = []

    init(_ layout: HypernetworkLayout, weights: ReadOnlyArena, gradients: Arena?) {
        self.layout = layout
        self.weights = weights
        switch layout.options.trained {
        case .everything: (self.gradients, trainedTasks) = (gradients, nil)
        case .nothing: (self.gradients, trainedTasks) = (nil, nil)
        case .tasks(let tasks):
            // Without an embedding of tasks nothing is left to train.
            let count = layout.taskEmbedding?.shape[0]
            (self.gradients, trainedTasks) = (
                count == nil ? nil : gradients, (0..<(count ?? 0)).map { tasks.contains($0) }
            )
        }
        scales = unsafe Matrix(weights.base, rows: 0, columns: layout.rank)
    }

    /// Scales of one example at one site, `[r]`.
    func scale(example: Int, site: Int) -> UnsafePointer<Float> {
        unsafe scales.row(example * layout.sites + site)
    }

    func scaleGradient(example: Int, site: Int) -> UnsafeMutablePointer<Float>? {
        unsafe scaleGradients?.row(example * layout.sites + site)
    }

    func forward(_ context: MicroBatchContext) {
        forward(tasks: context.batch.tasks, sample: encodeSamples(context), context.workspace)
    }

    /// The same for examples of these tasks; `sample` is what `encodeSamples` returns, nil if the sample is not an input.
    func forward(tasks: [Int], sample: Matrix?, _ workspace: Workspace) {
        precondition((sample == nil) == layout.sampleEncoder.isEmpty, "an input of the hypernetwork is missing")
        let (examples, sites) = (tasks.count, layout.sites)
        let h = layout.options.dimension
        let input = workspace.matrix(examples * sites, layout.options.inputs.count * h)
        for example in 0..<examples {
            for site in 0..<sites {
                var target = unsafe input.row(example * sites + site)
                if let table = layout.taskEmbedding {
                    unsafe target.update(from: weights.matrix(table).row(tasks[example]), count: h)
                    unsafe target += h
                }
                if let table = layout.positionEmbedding {
                    unsafe target.update(from: weights.matrix(table).row(layout.position(site)), count: h)
                    unsafe target += h
                }
                if let sample {
                    unsafe target.update(from: sample.row(example), count: h)
                }
            }
        }
        chain(layout.mlp, input.readOnly, workspace, into: &mlpActivations)
        let u = mlpActivations[layout.mlp.count]
        let scales = workspace.matrix(examples * sites, layout.rank)
        let trains = gradients != nil && (trainsAll || tasks.contains { isTrained($0) })
        scaleGradients = trains ? workspace.zeroMatrix(examples * sites, layout.rank) : nil
        for row in 0..<scales.rows {
            let site = row % sites
            for k in 0..<layout.rank {
                let product = unsafe dot(u.row(row), weights.base + siteWeight(site, k), u.columns)
                let bias = unsafe weights.base[layout.scaleBias.offset + site * layout.rank + k]
                unsafe scales[row, k] = (layout.options.startsAtOne ? 1 : 0) + product + bias
            }
        }
        self.scales = scales.readOnly
    }

    /// Adds the gradients of the hypernetwork's tensors; reads `scaleGradients`.
    func backward(_ context: MicroBatchContext) {
        guard let gradients, let ds = scaleGradients else { return }
        let workspace = context.workspace
        let u = mlpActivations[layout.mlp.count]
        let du = workspace.zeroMatrix(u.rows, u.columns)
        for row in 0..<ds.rows {
            let site = row % layout.sites
            for k in 0..<layout.rank {
                let d = unsafe ds[row, k]
                if trainsAll {
                    unsafe gradients.base[layout.scaleBias.offset + site * layout.rank + k] += d
                    unsafe addScaled(u.row(row), d, to: gradients.base + siteWeight(site, k), u.columns)
                }
                unsafe addScaled(weights.base + siteWeight(site, k), d, to: du.row(row), u.columns)
            }
        }
        guard let dInput = chainBackward(layout.mlp, mlpActivations, du, workspace, needsInput: true) else { return }
        scatter(dInput, context, gradients)
    }

    private var trainsAll: Bool { trainedTasks == nil }

    /// Whether something is trained on which the scales of a task's examples depend.
    private func isTrained(_ task: Int) -> Bool { trainedTasks?[task] ?? true }

    /// Backward from the gradient of the mlp's input to the embeddings and the sample encoder.
    private func scatter(_ dInput: Matrix, _ context: MicroBatchContext, _ gradients: Arena) {
        let h = layout.options.dimension
        guard trainsAll else { return scatterToTasks(dInput, context, gradients) }
        let dSample = context.workspace.zeroMatrix(context.batch.count, h)
        for row in 0..<dInput.rows {
            let (example, site) = (row / layout.sites, row % layout.sites)
            var source = unsafe dInput.row(row)
            if let table = layout.taskEmbedding {
                unsafe addScaled(source, 1, to: gradients.matrix(table).row(context.batch.tasks[example]), h)
                unsafe source += h
            }
            if let table = layout.positionEmbedding {
                unsafe addScaled(source, 1, to: gradients.matrix(table).row(layout.position(site)), h)
                unsafe source += h
            }
            if !layout.sampleEncoder.isEmpty {
                unsafe addScaled(source, 1, to: dSample.row(example), h)
            }
        }
        if !layout.sampleEncoder.isEmpty {
            _ = chainBackward(layout.sampleEncoder, sampleActivations, dSample, context.workspace, needsInput: false)
        }
    }

    /// The part of `scatter` for the embeddings of trained tasks alone, whose columns are the first.
    private func scatterToTasks(_ dInput: Matrix, _ context: MicroBatchContext, _ gradients: Arena) {
        guard let table = layout.taskEmbedding else { return }
        for row in 0..<dInput.rows {
            let task = context.batch.tasks[row / layout.sites]
            guard isTrained(task) else { continue }
            unsafe addScaled(dInput.row(row), 1, to: gradients.matrix(table).row(task), layout.options.dimension)
        }
    }

    /// The mean input embedding of every example, passed through the sample encoder: `[examples, h]`. The embeddings get no
    /// gradient from here.
    private func encodeSamples(_ context: MicroBatchContext) -> Matrix? {
        guard !layout.sampleEncoder.isEmpty else { return nil }
        let embedding = context.embedding
        let means = context.workspace.zeroMatrix(context.batch.count, embedding.columns)
        for example in 0..<context.batch.count {
            let (start, length) = (context.sources.start(example), context.sources.length(example))
            for token in context.batch.sources[start..<start + length] {
                unsafe embedding.addRow(Int(token), to: means.row(example))
            }
            Kernels.scale(means.rows(example, 1), by: 1 / Float(length))
        }
        chain(layout.sampleEncoder, means.readOnly, context.workspace, into: &sampleActivations)
        return sampleActivations[layout.sampleEncoder.count]
    }

    /// Linear layers with a ReLU after all but the last: overwrites `activations` with the inputs of each layer and the result.
    /// The result of an example does not depend on the other examples, not even in training.
    private func chain(
        _ layers: [LinearEntries], _ input: Matrix, _ workspace: Workspace, into activations: inout [Matrix]
    ) {
        activations.removeAll(keepingCapacity: true)
        activations.append(input)
        for (k, layer) in layers.enumerated() {
            let y = workspace.matrix(input.rows, layer.bias.count)
            for row in 0..<y.rows {
                unsafe y.row(row).update(from: weights.base + layer.bias.offset, count: y.columns)
            }
            rowProduct(activations[k], weights.matrix(layer.weight), into: y, adding: true)
            if k + 1 < layers.count { relu(y) }
            activations.append(y.readOnly)
        }
    }

    /// Backward of `chain`: adds to the layers' gradients if all is trained; returns the gradient of the input when it is needed.
    private func chainBackward(
        _ layers: [LinearEntries], _ activations: [Matrix], _ dOutput: MutableMatrix, _ workspace: Workspace,
        needsInput: Bool
    ) -> Matrix? {
        guard let gradients else { return nil }
        var dy = dOutput
        for k in layers.indices.reversed() {
            if k + 1 < layers.count { reluBackward(dy, result: activations[k + 1], scale: 1) }
            if trainsAll {
                gemm(
                    .transposed(dy.readOnly), .asIs(activations[k]), into: gradients.matrix(layers[k].weight), beta: 1)
                unsafe addColumnSums(dy.readOnly, to: gradients.base + layers[k].bias.offset)
            }
            if k == 0 && !needsInput { return nil }
            let dx = workspace.matrix(activations[k].rows, activations[k].columns)
            gemm(.asIs(dy.readOnly), .asIs(weights.matrix(layers[k].weight)), into: dx)
            dy = dx
        }
        return dy.readOnly
    }

    /// Where row k of U of a site, `[e]`, begins in the arenas.
    private func siteWeight(_ site: Int, _ k: Int) -> Int {
        layout.scaleWeight.offset + (site * layout.rank + k) * layout.options.outputDimension
    }
}
