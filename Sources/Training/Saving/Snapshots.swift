import Failures
import Foundation
import Runs
import Synchronization
import Tensors

/// One completed step, whole: what a checkpoint of it holds.
final class Snapshot: @unchecked Sendable {
    fileprivate(set) var state: RunState
    /// Counts what was kept: a step may be kept again after its evaluation.
    fileprivate(set) var number = 0
    let weights: Arena
    let mean: Arena
    let square: Arena
    /// How many read it now; whoever does keeps it from being overwritten.
    fileprivate var readers = 0

    fileprivate init(count: Int, state: RunState) {
        self.state = state
        weights = Arena(count: count, for: .trainables)
        mean = Arena(count: count, for: .trainables)
        square = Arena(count: count, for: .trainables)
    }

    /// What is trained, itself.
    fileprivate init(_ trained: TrainState, state: RunState) {
        self.state = state
        (weights, mean, square) = (trained.weights, trained.mean, trained.square)
    }
}

/// The last completed step of this rank, kept whole beside the training that goes on: another thread can save it at any
/// moment.
///
/// At any moment one of two is whole: what is trained itself, between two updates, or the copy of it, while an update is
/// being made. So one copy suffices, which is overwritten after each step. Copies that are being read, and that of the best
/// evaluation, stay out of this; then there are more.
final class Snapshots: @unchecked Sendable {
    private let lock = NSLock()
    /// Held while a step is completed.
    private let completing = NSLock()
    private let isFrozen = Atomic<Bool>(false)
    private var all: [Snapshot] = []
    private var newest: Snapshot?
    /// That of the best evaluation, which stays until there is a better one: its checkpoint may not be finished yet.
    private var best: Snapshot?
    private var count = 0

    /// Runs `body`, which completes a step: its lines are written and it is kept. Does not return once frozen.
    func complete<R>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
        completing.lock()
        defer { completing.unlock() }
        // The job ends; whoever froze it ends this thread too.
        while isFrozen.load(ordering: .acquiring) { sleep(1) }
        return try body()
    }

    /// No step is completed from here on, so the newest snapshot is the last one. Waits for a step that is being completed
    /// now, but at most `patience`: its disk may hang. That step may still be kept later.
    func freeze(patience: TimeInterval) {
        isFrozen.store(true, ordering: .releasing)
        if completing.lock(before: Date(timeIntervalSinceNow: patience)) { completing.unlock() }
    }

    /// Copies the state and makes it the newest; for the thread that trains. Whoever asks for the newest meanwhile gets what is
    /// trained itself, and this does not return before he has released it.
    func keep(_ trained: TrainState, _ state: RunState) {
        let live = Snapshot(trained, state: state)
        count += 1
        live.number = count
        let target = vacant(count: trained.weights.count, state: state, standingIn: live)
        target.weights.copy(from: trained.weights)
        target.mean.copy(from: trained.mean)
        target.square.copy(from: trained.square)
        target.state = state
        target.number = count
        lock.withLock {
            newest = target
            if state.best?.step == state.step, !state.owesEvaluation { best = target }
        }
        while lock.withLock({ live.readers > 0 }) { usleep(1_000) }
    }

    /// The step of the newest; nil for none.
    var step: Int? { lock.withLock { newest?.state.step } }

    /// The newest, which stays as it is until `release`; nil for none.
    func take() -> Snapshot? {
        lock.withLock {
            newest?.readers += 1
            return newest
        }
    }

    /// The one of the best evaluation, as `take` gives the newest.
    func takeBest() -> Snapshot? {
        lock.withLock {
            best?.readers += 1
            return best
        }
    }

    /// Gives back what `take` gave.
    func release(_ snapshot: Snapshot) {
        lock.withLock { snapshot.readers -= 1 }
    }

    /// A copy that may be overwritten: nobody reads it, and nobody is given it from here on. Where it was the newest, `live`
    /// is.
    private func vacant(count: Int, state: RunState, standingIn live: Snapshot) -> Snapshot {
        let free = lock.withLock {
            let unread = all.filter { $0 !== best && $0.readers == 0 }
            let free = unread.first { $0 !== newest } ?? unread.first
            if let free, free === newest { newest = live }
            return free
        }
        if let free { return free }
        // Not under the lock: where there is no memory the job is ended in here, and its end takes the newest.
        let made = Snapshot(count: count, state: state)
        lock.withLock { all.append(made) }
        return made
    }
}
