import Failures
import MPI
import Synchronization

/// Lets an evaluation be given up between two batches when the job is to end: it can be made again, and a scheduler does
/// not wait for it.
final class EvaluationStop: Sendable {
    private let conditions: StopConditions
    private let found = Atomic<Int64>(0)

    init(_ conditions: StopConditions) {
        self.conditions = conditions
    }

    /// Whether this rank is to give up; workers ask before each batch.
    func isGivenUp() -> Bool {
        guard let reason = conditions.request else { return false }
        found.store(reason.rawValue, ordering: .relaxed)
        return true
    }

    /// Why some rank gave the evaluation up, the strongest reason; nil when it was made to its end. Collective, after
    /// the evaluation.
    func reason(_ world: Communicator) throws(Failure) -> StopReason? {
        StopReason.of(sum: try world.allReduce(.maximum, found.load(ordering: .relaxed)))
    }
}
