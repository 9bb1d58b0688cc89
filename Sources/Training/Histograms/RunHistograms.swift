import Adapters
import Backbone
import Configuration
import Runs
import Tasks
import Tensors

/// The distributions of a run that TensorBoard draws: of its trained weights kind by kind, and of the scales that the hypernetwork of
/// `unolora_star` gives some texts of each task.
///
/// Reading them changes nothing, so training keeps its bits.
package struct RunHistograms {
    /// The most texts of a task whose scales are drawn.
    static let texts = 64

    private let session: RunSession
    private let state: TrainState
    private let kinds: [WeightKind]
    /// For each task the training texts whose scales are drawn, the same at every step; empty for a method without scales.
    private let chosen: [[Int]]

    /// Prepares the histograms of a run whose weights are those of `state`.
    package init(_ session: RunSession, _ state: TrainState) {
        self.session = session
        self.state = state
        let method = session.base.method
        kinds = WeightKind.all(of: method, on: session.base.model.shape, tasks: session.taskNames)
        let hasScales = (method as? LowRankMethod)?.hasScales ?? false
        chosen =
            hasScales
            ? session.taskNames.enumerated().map { task, name in
                ExampleSubset.positions(
                    task: name, count: session.data.trainingCount(task: task), limit: Self.texts,
                    seed: session.configuration.splitSeed)
            } : []
    }

    /// The histograms of the weights as they are now. A kind without a finite number is left out.
    var values: [Event.Tagged] {
        let weights = state.weights.readOnly
        var values: [Event.Tagged] = []
        for kind in kinds {
            if let histogram = kind.histogram(weights) { values.append((kind.tag, .histogram(histogram))) }
        }
        for (task, texts) in chosen.enumerated() {
            let scales = scales(task, texts, weights)
            let histogram = unsafe scales.withUnsafeBufferPointer { unsafe Histogram([$0]) }
            if let histogram { values.append(("scales/\(session.taskNames[task])", .histogram(histogram))) }
        }
        return values
    }

    /// All scales of a task's texts at all sites; those of the task if the hypernetwork reads no text.
    private func scales(_ task: Int, _ texts: [Int], _ weights: ReadOnlyArena) -> [Float] {
        guard let method = session.base.method as? LowRankMethod else { return [] }
        if let same = method.scales(task: task, weights: weights) { return same.mean.joined().map(Float.init) }
        var scales: [Float] = []
        unsafe method.eachScales(
            task: task, weights: weights, texts: texts.indices, embedding: session.base.model.embedding,
            workspace: Workspace(), source: { unsafe session.data.source(task: task, example: texts[$0]) }
        ) { scales += $0 }
        return scales
    }
}
