import Backbone
import Kernels
import Randomness
import Synchronization
import Tensors
import Training

/// Runs only the products with frozen weights of some micro-batches, on as many threads as a step.
///
/// They pass through the whole model in a pass's order, so that weights come from memory as in a step. Every product reads numbers
/// from a normal distribution: with results of earlier products they would grow or shrink from one to the next until they were no
/// longer finite or nearly 0, and then a processor or a rounding to 8 bits takes another time for them.
final class FrozenReplay: @unchecked Sendable {
    // Unchecked: only one thread at a time uses a worker.
    let products: [FrozenPass.Product]
    private let threads: Int
    private let workers: [Worker]
    /// Threads that stay, so that nothing is left to be cleaned up in the next step.
    private let team: WorkerThreads

    init(_ model: any Backbone, _ method: any Method, threads: Int) {
        let adaptation = method.adaptation(weights: Arena(count: method.parameters.count).readOnly, gradients: nil)
        products = FrozenPass(model, adaptation: adaptation).products
        self.threads = threads
        workers = (0..<threads).map { _ in Worker() }
        team = WorkerThreads(count: threads)
    }

    /// What one thread multiplies with.
    private final class Worker {
        let products = FrozenProducts()
        let workspace = Workspace()
        private var numbers = Arena(count: 0)
        private var stream = RandomStream(seed: 1, purpose: .benchmark)

        /// Makes at least `count` random numbers.
        func prepare(_ count: Int) {
            guard numbers.count < count else { return }
            numbers = Arena(count: count + count / 2)
            for i in 0..<numbers.count { unsafe numbers.base[i] = Float(stream.normal()) }
        }

        /// Random numbers `[rows, columns]`, the same memory in every call.
        func input(_ rows: Int, _ columns: Int) -> Matrix {
            numbers.readOnly.matrix(at: 0, rows: rows, columns: columns)
        }
    }

    /// Source and target rows of a micro-batch.
    typealias Rows = (source: Int, target: Int)

    /// Seconds and operations for micro-batches with these rows; each thread takes the next one when it is free.
    func run(_ microBatches: [Rows]) -> (seconds: Double, operations: Double) {
        prepare(microBatches)
        let next = SharedCounter()
        let elapsed = seconds {
            team.run { [self] worker in
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

    /// Makes the numbers that the products read, so that this takes no time later.
    private func prepare(_ microBatches: [Rows]) {
        let count = products.reduce(0) { most, product in
            let width = product.isBackward ? product.matrix.outputWidth : product.matrix.inputWidth
            return microBatches.reduce(most) { max($0, (product.isTarget ? $1.target : $1.source) * width) }
        }
        for worker in workers { worker.prepare(count) }
    }

    /// Seconds of each product in a micro-batch with these rows, for each thread; all threads compute a micro-batch at the same
    /// time.
    func times(_ rows: Rows) -> [[Double]] {
        prepare([rows])
        let times = Mutex([[Double]](repeating: [], count: threads))
        team.run { [self] worker in
            let own = products.map { product in seconds { compute(product, rows, workers[worker]) } }
            times.withLock { $0[worker] = own }
        }
        return times.withLock { $0 }
    }

    private func compute(_ product: FrozenPass.Product, _ rows: Rows, _ worker: Worker) {
        worker.workspace.reset()
        let count = product.isTarget ? rows.target : rows.source
        let (narrow, wide) = (product.matrix.inputWidth, product.matrix.outputWidth)
        if product.isBackward {
            product.matrix.multiplyTransposed(
                worker.input(count, wide), into: worker.workspace.matrix(count, narrow), worker.products)
        } else {
            product.matrix.multiply(
                worker.input(count, narrow), into: worker.workspace.matrix(count, wide), worker.products)
        }
    }
}
