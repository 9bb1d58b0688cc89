package import Backbone
import Kernels

/// The engines of one rank, each of which one thread computes with at a time.
package final class EngineTeam: @unchecked Sendable {
    // Unchecked: `inParallel` gives each engine to one thread.
    let engines: [any BackboneEngine]
    let threads: WorkerThreads

    /// One engine for each thread.
    package init(_ engines: [any BackboneEngine]) {
        self.engines = engines
        threads = WorkerThreads(count: engines.count)
        BLAS.takeBuffers(threads: engines.count)
    }

    /// Engines that answer: without gradients and sums.
    package convenience init(answering model: AdaptedModel, threads: Int) {
        self.init((0..<threads).map { _ in model.engine(gradients: nil) })
    }

    /// Runs `body` once for each engine, each on a thread.
    package func inParallel(_ body: @Sendable (any BackboneEngine) -> Void) {
        withoutActuallyEscaping(body) { body in
            threads.run { body(self.engines[$0]) }
        }
    }
}
