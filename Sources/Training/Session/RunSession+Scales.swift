package import Adapters
import Backbone
import Kernels
import Synchronization
import Tasks
package import Tensors

extension RunSession {
    /// Texts that a thread takes at a time. The sums of these parts are added in order, so the result does not depend on the number
    /// of threads.
    private static let part = 1024

    /// For each task the mean and standard deviation of its scales over all of its training texts; if the hypernetwork reads no
    /// text, the scales that every text has. Nil for a method without scales (`unolora_star` has them).
    package func trainingScales(weights: ReadOnlyArena, threads: Int) -> [TaskScales]? {
        guard let method = base.method as? LowRankMethod, method.hasScales else { return nil }
        return base.definitions.indices.compactMap { task in
            method.scales(task: task, weights: weights) ?? scales(method, task: task, weights, threads: threads)
        }
    }

    private func scales(
        _ method: LowRankMethod, task: Int, _ weights: ReadOnlyArena, threads: Int
    ) -> TaskScales? {
        let (texts, part, data, embedding) = (data.trainingCount(task: task), Self.part, data, base.model.embedding)
        let parts = (texts + part - 1) / part
        let results = Mutex([ScaleSums?](repeating: nil, count: parts))
        let next = Atomic(0)
        WorkerThreads(count: max(1, min(threads, parts))).run { _ in
            let workspace = Workspace()
            while true {
                let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard number < parts else { return }
                let chosen = number * part..<min((number + 1) * part, texts)
                let sums = unsafe method.scaleSums(
                    task: task, weights: weights, texts: chosen, embedding: embedding, workspace: workspace
                ) { unsafe data.source(task: task, example: $0) }
                results.withLock { $0[number] = sums }
            }
        }
        let all = results.withLock { $0 }.compactMap(\.self)
        guard var total = all.first else { return nil }
        for sums in all.dropFirst() { total.add(sums) }
        return total.scales()
    }
}
