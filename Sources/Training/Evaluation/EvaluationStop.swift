import Failures
import Foundation
import MPI
import Runs
import Synchronization

/// Lets an evaluation be given up between two batches when the job is to end: it can be made again, and a scheduler does
/// not wait for it.
///
/// Where rank 0 evaluates alone, the others wait asleep and tell it of a request to them. Where all share the decoding,
/// each gives up its own part, and they hear of each other at the end.
package final class EvaluationStop: Sendable {
    /// What became of an evaluation, on every rank alike but for `value`.
    package struct Ending<Value> {
        /// What the evaluation returned; nil on a rank that did not evaluate.
        package var value: Value?
        /// Whether no rank gave it up.
        package var isWhole: Bool
        /// Why the job is to end; never nil when the evaluation was given up.
        package var stop: StopReason?
    }

    private let conditions: StopConditions
    private let world: Communicator
    /// 1 when this rank knows of a request, its own or another's.
    private let request = Atomic<Int64>(0)
    private let isLeft = Atomic<Bool>(false)
    /// When rank 0 asks the others next; nil while they do not answer.
    private let nextRound = Mutex<ContinuousClock.Instant?>(nil)

    package init(_ conditions: StopConditions, world: Communicator) {
        self.conditions = conditions
        self.world = world
    }

    /// Whether this rank is to give up; workers ask before each batch.
    package func isGivenUp() -> Bool {
        noteOwnRequest()
        // The collectives belong to one thread, which is a worker too.
        if Thread.isMainThread { askOthersWhenDue() }
        guard request.load(ordering: .relaxed) != 0 else { return false }
        isLeft.store(true, ordering: .relaxed)
        return true
    }

    /// Runs an evaluation that asks `isGivenUp`, on rank 0 or on all ranks; collective.
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
        try words.withUnsafeMutableBufferPointer { (words) throws(Failure) in try world.allReduce(.maximum, words) }
        return Ending(value: value, isWhole: words[1] == 0, stop: StopReason.together(words[0]))
    }

    private func noteOwnRequest() {
        if conditions.request != nil { request.store(1, ordering: .relaxed) }
    }

    private func askOthersWhenDue() {
        nextRound.withLock { due in
            guard let time = due, ContinuousClock.now >= time else { return }
            // An MPI that fails here fails in the last round too, which can say so.
            _ = try? round(isLast: false)
            // Seldom enough to cost nothing beside short batches.
            due = .now + .milliseconds(50)
        }
    }

    /// The ranks tell each other of requests; collective. Returns whether rank 0 says that this was the last time.
    private func round(isLast: Bool) throws(Failure) -> Bool {
        noteOwnRequest()
        var words = [request.load(ordering: .relaxed), isLast ? 1 : 0]
        try words.withUnsafeMutableBufferPointer { (words) throws(Failure) in
            try world.allReduce(.maximum, words) { _ in }
        }
        _ = request.max(words[0], ordering: .relaxed)
        return words[1] == 1
    }
}
