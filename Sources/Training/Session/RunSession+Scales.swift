package import Adapters
import Backbone
package import Kernels
import Synchronization
package import Tensors

extension RunSession {
    /// For each task the mean and standard deviation of its scales over all of its training texts; if the hypernetwork reads no
    /// text, the scales that every text has. Nil for a method without scales (`unolora_star` has them).
    ///
    /// - Parameter most: at most so many texts of a task are read, evenly spaced among all; nil for all of them.
    package func trainingScales(weights: ReadOnlyArena, threads: Int, most: Int? = nil) -> [TaskScales]? {
        guard let method = base.method as? LowRankMethod, method.hasScales else { return nil }
        return base.definitions.indices.compactMap { task in
            trainingScales(method, of: task, weights: weights, threads: threads, most: most)
        }
    }

    /// The same for one task.
    package func trainingScales(
        _ method: LowRankMethod, of task: Int, weights: ReadOnlyArena, threads: Int, most: Int? = nil
    ) -> TaskScales? {
        let data = data
        let count = data.trainingCount(task: task)
        let texts = min(count, most ?? count)
        return unsafe method.scales(
            task: task, weights: weights, texts: texts, embedding: base.model.embedding, threads: threads
        ) { unsafe data.source(task: task, example: $0 * count / texts) }
    }
}

extension LowRankMethod {
    /// Texts that a thread takes at a time. The sums of these parts are added in order, so the result does not depend on the number
    /// of threads.
    private static let part = 1024

    /// Mean and standard deviation of the scales of a task over `texts` texts, whose tokens `source` returns; where the scales do not
    /// depend on the text, none is read. Nil for a method without scales, and if there is no text to read.
    package func scales(
        task: Int, weights: ReadOnlyArena, texts: Int, embedding: FrozenWeight, threads: Int,
        source: @escaping @Sendable (Int) -> UnsafeBufferPointer<Int32>
    ) -> TaskScales? {
        if let scales = scales(task: task, weights: weights) { return scales }
        let part = Self.part
        let parts = (texts + part - 1) / part
        let results = Mutex([ScaleSums?](repeating: nil, count: parts))
        let next = Atomic(0)
        WorkerThreads(count: max(1, min(threads, parts))).run { _ in
            let workspace = Workspace()
            while true {
                let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard number < parts else { return }
                let chosen = number * part..<min((number + 1) * part, texts)
                let sums = unsafe scaleSums(
                    task: task, weights: weights, texts: chosen, embedding: embedding, workspace: workspace,
                    source: source)
                results.withLock { $0[number] = sums }
            }
        }
        let all = results.withLock { $0 }.compactMap(\.self)
        guard var total = all.first else { return nil }
        for sums in all.dropFirst() { total.add(sums) }
        return total.scales()
    }
}
