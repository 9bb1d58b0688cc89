import Failures
import Foundation
import Runs
import Synchronization
import Tensors

/// One completed step: everything that its checkpoint contains.
final class Snapshot: @unchecked Sendable {
    fileprivate(set) var state: RunState
    /// The number of this snapshot; a step may be kept again after its evaluation and then has another number.
    fileprivate(set) var number = 0
    let weights: Arena
    let mean: Arena
    let square: Arena
    /// The running averages of the tasks' gradients, where the run measures them.
    let averages: TaskAverages?
    /// How many readers it has now; while there are any, it is not overwritten.
    fileprivate var readers = 0

    /// A snapshot of the sizes of `trained`, with zeros.
    fileprivate init(copying trained: TrainState, state: RunState) {
        self.state = state
        weights = Arena(count: trained.weights.count, for: .trainables)
        mean = Arena(count: trained.mean.count, for: .trainables)
        square = Arena(count: trained.square.count, for: .trainables)
        averages = trained.averages.map { TaskAverages(tasks: $0.tasks, parameters: trained.trained.count) }
    }

    /// A snapshot that views the trained state itself.
    fileprivate init(_ trained: TrainState, state: RunState) {
        self.state = state
        (weights, mean, square, averages) = (trained.weights, trained.mean, trained.square, trained.averages)
    }
}

/// Keeps the last completed step of this rank while training continues, so that another thread can save it at any moment.
///
/// One of two things is complete at any moment: the trained state itself, between two updates, or its copy, during an update.
/// So one copy suffices, which is overwritten after each step. Copies that are being read, and that of the best evaluation, are
/// not overwritten; then there are more copies.
final class Snapshots: @unchecked Sendable {
    private let lock = NSLock()
    /// Locked while a step is completed.
    private let completing = NSLock()
    private let isFrozen = Atomic<Bool>(false)
    private var all: [Snapshot] = []
    private var newest: Snapshot?
    /// The snapshot of the best evaluation. It stays until there is a better one, because its checkpoint may not be finished.
    private var best: Snapshot?
    private var count = 0

    /// Runs `body`, which completes a step: it writes the step's lines and keeps the step. Never returns after `freeze`.
    func complete<R>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
        completing.lock()
        defer { completing.unlock() }
        // The job is ending; the thread that called `freeze` ends this thread too.
        while isFrozen.load(ordering: .acquiring) { sleep(1) }
        return try body()
    }

    /// From now on no step is completed, so the newest snapshot is the last one. Waits for a step that is being completed now,
    /// but at most `patience`, because its disk may hang. That step may still be kept later.
    func freeze(patience: TimeInterval) {
        isFrozen.store(true, ordering: .releasing)
        if completing.lock(before: Date(timeIntervalSinceNow: patience)) { completing.unlock() }
    }

    /// Copies the state and makes the copy the newest snapshot; only the training thread may call it. A reader that takes the
    /// newest snapshot during the copy gets the trained state itself, and this function returns only after the reader has
    /// released it.
    func keep(_ trained: TrainState, _ state: RunState) {
        let live = Snapshot(trained, state: state)
        count += 1
        live.number = count
        let target = vacant(for: trained, state: state, standingIn: live)
        target.weights.copy(from: trained.weights)
        target.mean.copy(from: trained.mean)
        target.square.copy(from: trained.square)
        if let averages = trained.averages { target.averages?.copy(from: averages) }
        target.state = state
        target.number = count
        lock.withLock {
            newest = target
            if state.best?.step == state.step, !state.owesEvaluation { best = target }
        }
        while lock.withLock({ live.readers > 0 }) { usleep(1_000) }
    }

    /// The step of the newest snapshot; nil when there is none.
    var step: Int? { lock.withLock { newest?.state.step } }

    /// Returns the newest snapshot, which is not changed until `release`; nil when there is none.
    func take() -> Snapshot? {
        lock.withLock {
            newest?.readers += 1
            return newest
        }
    }

    /// Like `take`, for the snapshot of the best evaluation.
    func takeBest() -> Snapshot? {
        lock.withLock {
            best?.readers += 1
            return best
        }
    }

    /// Releases a snapshot that `take` returned.
    func release(_ snapshot: Snapshot) {
        lock.withLock { snapshot.readers -= 1 }
    }

    /// A copy that may be overwritten: nobody reads it, and from now on nobody can take it. If it was the newest snapshot,
    /// `live` replaces it.
    private func vacant(for trained: TrainState, state: RunState, standingIn live: Snapshot) -> Snapshot {
        let free = lock.withLock {
            let unread = all.filter { $0 !== best && $0.readers == 0 }
            let free = unread.first { $0 !== newest } ?? unread.first
            if let free, free === newest { newest = live }
            return free
        }
        if let free { return free }
        // The lock must not be held here: if there is no memory, the allocation ends the job, and ending takes the newest
        // snapshot.
        let made = Snapshot(copying: trained, state: state)
        lock.withLock { all.append(made) }
        return made
    }
}
