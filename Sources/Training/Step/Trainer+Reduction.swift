public import Failures
import Kernels

extension Trainer {
    /// The sum of the last step once more, each part by itself, for measurements. What it leaves is overwritten
    /// by the next step.
    public struct Reduction {
        fileprivate let trainer: Trainer

        /// Bytes that a rank sums over the ranks.
        public var bytes: Int { trainer.team.sums.layout.bytes }

        /// Every worker adds the gradients of its last micro-batch to the sums, as it does once for each micro-batch.
        public func pack() {
            let team = trainer.team
            team.team.threads.run { _ = team.pack($0, limit: FixedPoint.limit(parts: 1)) }
        }

        /// Sums over the ranks; collective.
        public func sumRanks() throws(Failure) { try trainer.exchange.sumOverRanks() }

        /// Makes gradients of the sums once and returns their norm; a step does it once more for its update.
        @discardableResult
        public func unpack() -> Double { trainer.update.norm(divisor: 1) }
    }

    /// The parts of the reduction; after the first step.
    public var reduction: Reduction { Reduction(trainer: self) }
}
