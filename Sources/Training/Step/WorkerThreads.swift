import Dispatch
import Foundation

/// Threads that stay for the life of a team and do one thing together at a time, with nothing allocated for it.
final class WorkerThreads: @unchecked Sendable {
    /// What the threads share: it outlives the team until the last of them has left.
    private final class Shared: @unchecked Sendable {
        let starts: [DispatchSemaphore]
        let finished = DispatchSemaphore(value: 0)
        /// What to do next; nil to leave. Written while the threads wait, read after their signal.
        var body: (@Sendable (Int) -> Void)?

        init(helpers: Int) { starts = (0..<helpers).map { _ in DispatchSemaphore(value: 0) } }

        /// Waits for a start and does a helper's part; false when it is to leave. A function of its own, so that no thread
        /// holds the closure any more when it signals: the caller of `run` may be about to see that nobody does.
        @inline(never)
        func perform(helper: Int) -> Bool {
            starts[helper].wait()
            guard let body else { return false }
            body(helper + 1)
            return true
        }
    }

    private let shared: Shared

    /// Starts `count - 1` threads; the caller of `run` is the other one.
    init(count: Int) {
        shared = Shared(helpers: count - 1)
        for number in shared.starts.indices {
            let thread = Thread { [shared] in
                while shared.perform(helper: number) { shared.finished.signal() }
            }
            thread.name = "worker \(number + 1)"
            thread.start()
        }
    }

    deinit {
        for start in shared.starts { start.signal() }
    }

    /// Runs `body` once for each number from 0 below the count, each on a thread of its own; returns when all are done.
    func run(_ body: @escaping @Sendable (Int) -> Void) {
        shared.body = body
        for start in shared.starts { start.signal() }
        body(0)
        for _ in shared.starts { shared.finished.wait() }
        shared.body = nil
    }
}
