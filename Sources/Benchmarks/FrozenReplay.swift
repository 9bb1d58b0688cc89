import Adapters
import Dispatch
import Kernels
import T5
import Tensors

/// Runs the products with frozen weights of some micro-batches and nothing else, on as many threads as a step.
final class FrozenReplay: @unchecked Sendable {
    private let pass: FrozenPass
    private let threads: Int
    private let workers: [(products: FrozenProducts, workspace: Workspace)]

    init(model: T5Model, options: LowRankOptions, threads: Int) {
        let layout = LowRankLayout(options: options, configuration: model.configuration)
        let adaptation = LowRankAdaptation(
            layout: layout, weights: Arena(count: layout.parameters.count), gradients: nil)
        pass = FrozenPass(model: model, adaptation: adaptation)
        self.threads = threads
        workers = (0..<threads).map { _ in (FrozenProducts(model.packing), Workspace()) }
    }

    /// Seconds and operations for micro-batches of so many source and target rows, shared out as they come.
    func run(_ microBatches: [(source: Int, target: Int)]) -> (seconds: Double, operations: Double) {
        let next = SharedCounter()
        let elapsed = seconds {
            DispatchQueue.concurrentPerform(iterations: threads) { worker in
                while true {
                    let index = next.take()
                    guard index < microBatches.count else { return }
                    compute(microBatches[index], workers[worker])
                }
            }
        }
        let operations = microBatches.reduce(0) { sum, rows in
            pass.products.reduce(sum) { $0 + $1.operations(rows: $1.isTarget ? rows.target : rows.source) }
        }
        return (elapsed, operations)
    }

    private func compute(
        _ rows: (source: Int, target: Int), _ worker: (products: FrozenProducts, workspace: Workspace)
    ) {
        for product in pass.products {
            worker.workspace.reset()
            let count = product.isTarget ? rows.target : rows.source
            let narrow = worker.workspace.matrix(count, product.matrix.inputWidth)
            let wide = worker.workspace.matrix(count, product.matrix.outputWidth)
            if product.isBackward {
                product.matrix.multiplyTransposed(wide, into: narrow, worker.products)
            } else {
                product.matrix.multiply(narrow, into: wide, worker.products)
            }
        }
    }
}
