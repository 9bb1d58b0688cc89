package import Failures
import Foundation
package import MPI
package import Runs
import Synchronization

/// Allows an evaluation to be abandoned between two batches when the job must end: it can be repeated, and a scheduler does not
/// wait for it.
///
/// When rank 0 evaluates alone, the other ranks sleep and tell it about requests that they received. When all ranks share the
/// decoding, each abandons its own part, and they exchange this at the end.
package final class EvaluationStop: Sendable {
    /// The result of an evaluation; the same on every rank, except for `value`.
    package struct Ending<Value> {
        /// What the evaluation returned; nil on a rank that did not evaluate.
        package var value: Value?
        /// Whether all ranks completed their parts.
        package var isWhole: Bool
        /// Why the job must end; never nil when the evaluation was abandoned.
        package var stop: StopReason?
    }

    private let conditions: StopConditions
    private let world: Communicator
    /// 1 when this rank knows of a request to stop, its own or another rank's.
    private let request = Atomic<Int64>(0)
    private let isLeft = Atomic<Bool>(false)
    /// When rank 0 asks the other ranks next; nil while they do not answer.
    private let nextRound = Mutex<ContinuousClock.Instant?>(nil)

    package init(_ conditions: StopConditions, world: Communicator) {
        self.conditions = conditions
        self.world = world
    }

    /// Whether this rank should abandon its part; workers call it before each batch.
    package func isGivenUp() -> Bool {
        noteOwnRequest()
        // Only one thread may call collectives; it is a worker too.
        if Thread.isMainThread { askOthersWhenDue() }
        guard request.load(ordering: .relaxed) != 0 else { return false }
        isLeft.store(true, ordering: .relaxed)
        return true
    }

    /// Runs an evaluation that calls `isGivenUp`, on rank 0 or on all ranks; collective.
    package func watch<Value>(
        onAllRanks: Bool, _ evaluate: () throws(Failure) -> Value
    ) throws(Failure) -> Ending<Value> {
        var value: Value?
        if onAllRanks {
            value = try evaluate()
        } else if world.rank == 0 {
            nextRound.withLock { $0 = .now }
            value = try evaluate()
            nextRound.withLock { $0 = nil }
            _ = try round(isLast: true)
        } else {
            while try !round(isLast: false) {}
        }
        noteOwnRequest()
        var words = [request.load(ordering: .relaxed), isLeft.load(ordering: .relaxed) ? 1 : 0]
        try unsafe words.withUnsafeMutableBufferPointer { (words) throws(Failure) in
            try unsafe world.allReduce(.maximum, words)
        }
        return Ending(value: value, isWhole: words[1] == 0, stop: StopReason.together(words[0]))
    }

    private func noteOwnRequest() {
        if conditions.request != nil { request.store(1, ordering: .relaxed) }
    }

    private func askOthersWhenDue() {
        nextRound.withLock { due in
            guard let time = due, ContinuousClock.now >= time else { return }
            // If MPI fails here, it also fails in the last round, which can report that.
            _ = try? round(isLast: false)
            // This is rare enough to cost nothing, even with short batches.
            due = .now + .milliseconds(50)
        }
    }

    /// The ranks exchange requests; collective. Returns whether this was the last round, which rank 0 decides.
    private func round(isLast: Bool) throws(Failure) -> Bool {
        noteOwnRequest()
        var words = [request.load(ordering: .relaxed), isLast ? 1 : 0]
        try unsafe words.withUnsafeMutableBufferPointer { (words) throws(Failure) in
            try unsafe world.allReduce(.maximum, words) { _ in }
        }
        _ = request.max(words[0], ordering: .relaxed)
        return words[1] == 1
    }
}
