import Backbone
import Dispatch
import Kernels
import Synchronization
import Tensors

/// Runs only the products with frozen weights of some micro-batches, on as many threads as a step.
///
/// They pass through the whole model in a pass's order, so that weights come from memory as in a step.
final class FrozenReplay: @unchecked Sendable {
    // Unchecked: only one thread at a time uses a worker.
    let products: [FrozenPass.Product]
    private let threads: Int
    private let workers: [(products: FrozenProducts, workspace: Workspace)]

    init(_ model: any Backbone, _ method: any Method, threads: Int) {
        let adaptation = method.adaptation(weights: Arena(count: method.parameters.count).readOnly, gradients: nil)
        products = FrozenPass(model, adaptation: adaptation).products
        self.threads = threads
        workers = (0..<threads).map { _ in (FrozenProducts(), Workspace()) }
    }

    /// Source and target rows of a micro-batch.
    typealias Rows = (source: Int, target: Int)

    /// Seconds and operations for micro-batches with these rows; each thread takes the next one when it is free.
    func run(_ microBatches: [Rows]) -> (seconds: Double, operations: Double) {
        let next = SharedCounter()
        let elapsed = seconds {
            DispatchQueue.concurrentPerform(iterations: threads) { worker in
                while true {
                    let index = next.take()
                    guard index < microBatches.count else { return }
                    for product in products { compute(product, microBatches[index], workers[worker]) }
                }
            }
        }
        let operations = microBatches.reduce(0) { sum, rows in
            products.reduce(sum) { $0 + $1.operations(rows: $1.isTarget ? rows.target : rows.source) }
        }
        return (elapsed, operations)
    }

    /// Seconds of each product in a micro-batch with these rows, for each thread; all threads compute a micro-batch at the same
    /// time.
    func times(_ rows: Rows) -> [[Double]] {
        let times = Mutex([[Double]](repeating: [], count: threads))
        DispatchQueue.concurrentPerform(iterations: threads) { worker in
            let own = products.map { product in seconds { compute(product, rows, workers[worker]) } }
            times.withLock { $0[worker] = own }
        }
        return times.withLock { $0 }
    }

    private func compute(
        _ product: FrozenPass.Product, _ rows: Rows, _ worker: (products: FrozenProducts, workspace: Workspace)
    ) {
        worker.workspace.reset()
        let count = product.isTarget ? rows.target : rows.source
        let narrow = worker.workspace.matrix(count, product.matrix.inputWidth)
        let wide = worker.workspace.matrix(count, product.matrix.outputWidth)
        if product.isBackward {
            product.matrix.multiplyTransposed(wide.readOnly, into: narrow, worker.products)
        } else {
            product.matrix.multiply(narrow.readOnly, into: wide, worker.products)
        }
    }
}
