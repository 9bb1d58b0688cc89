import Failures
import Kernels

extension WorkerTeam.Worker: WorkerSums {}

extension Trainer {
    /// The exact sum of the last step once more, each part by itself: for who measures it. What it leaves is overwritten
    /// by the next step.
    public struct Reduction {
        fileprivate let trainer: Trainer

        /// Numbers that are summed over the ranks, 8 bytes each.
        public var count: Int { trainer.exchange.count }

        /// Every worker adds the gradients of its last micro-batch to its sums, as it does once for each micro-batch.
        public func pack() {
            let team = trainer.team
            team.inParallel { worker in
                guard let base = worker.sums.baseAddress else { return }
                _ = team.pack(worker.gradients, into: base, limit: FixedPoint.limit(parts: 1))
            }
        }

        /// Sums over the workers of this rank.
        public func sumWorkers() { trainer.exchange.sum(trainer.team.workers) }

        /// Sums over the ranks; collective.
        public func sumRanks() throws(Failure) { try trainer.exchange.sumOverRanks() }

        /// Makes gradients of the sums.
        public func unpack() { trainer.exchange.unpack(into: trainer.gradients, divisor: 1) }
    }

    /// The parts of the reduction; after the first step.
    public var reduction: Reduction { Reduction(trainer: self) }
}
