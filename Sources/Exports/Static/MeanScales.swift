package import Adapters
package import Backbone
import Synchronization
package import Tensors
package import Training

/// The mean scales of `unolora_star` over the training texts of each task.
package struct MeanScales {
    private let method: LowRankMethod
    private let weights: ReadOnlyArena
    private let backbone: any Backbone

    /// How many examples are summed before their sum is added to the others': a part of the result, since it does not depend on
    /// the number of threads.
    private static let part = 256
    private static let batch = 32

    /// For an adapter with these weights.
    package init(_ method: LowRankMethod, weights: ReadOnlyArena, on backbone: any Backbone) {
        (self.method, self.weights, self.backbone) = (method, weights, backbone)
    }

    /// Whether the scales of two examples of a task may differ.
    package static func dependOnText(_ options: LowRankOptions) -> Bool {
        options.method == .unoloraStar && options.hyper.inputs.contains(.sample)
    }

    /// The mean for one task, `[sites, rank]`, summed in Double. `source` gives the tokens of each of `count` texts; where the
    /// scales do not depend on the text, none is read.
    package func mean(
        task: Int, count: Int, team: EngineTeam, source: @escaping @Sendable (Int) -> [Int32]
    ) -> [Double] {
        guard Self.dependOnText(method.options) else {
            var batch = RaggedBatch()
            batch.append(source: [backbone.shape.endToken], target: [], task: task, slot: 0)
            return sum(of: [batch])
        }
        precondition(count > 0, "a task without training texts")
        let parts = (count + Self.part - 1) / Self.part
        let next = Atomic<Int>(0)
        let sums = Mutex([Int: [Double]]())
        team.inParallel { _ in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < parts else { return }
                let examples = index * Self.part..<min(count, (index + 1) * Self.part)
                let batches = stride(from: examples.lowerBound, to: examples.upperBound, by: Self.batch).lazy.map {
                    start in
                    var batch = RaggedBatch()
                    for example in start..<min(start + Self.batch, examples.upperBound) {
                        batch.append(source: source(example), target: [], task: task, slot: 0)
                    }
                    return batch
                }
                let part = sum(of: batches)
                sums.withLock { $0[index] = part }
            }
        }
        let found = sums.withLock { $0 }
        var total = [Double](repeating: 0, count: method.siteCount * method.options.rankA)
        for index in 0..<parts {
            for (i, value) in (found[index] ?? []).enumerated() { total[i] += value }
        }
        return total.map { $0 / Double(count) }
    }

    private func sum(of batches: some Sequence<RaggedBatch>) -> [Double] {
        guard let evaluation = ScaleEvaluation(method, weights: weights, on: backbone) else {
            preconditionFailure("a method without scales")
        }
        var sums = [Double](repeating: 0, count: evaluation.sites * evaluation.rank)
        for batch in batches { evaluation.add(batch, to: &sums) }
        return sums
    }
}
