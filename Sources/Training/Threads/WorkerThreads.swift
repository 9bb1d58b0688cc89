import Dispatch
import Foundation

/// Something that all threads of a team do together, again and again: an object, since a closure that is handed on may be
/// wrapped in memory of its own each time.
protocol ThreadWork: AnyObject, Sendable {
    /// The part of one thread; threads count from 0.
    func perform(_ number: Int)
}

/// Threads that stay for the life of a team and do one thing together at a time, with nothing allocated for it.
package final class WorkerThreads: @unchecked Sendable {
    /// What the threads share: it outlives the team until the last of them has left.
    private final class Shared: @unchecked Sendable {
        let starts: [DispatchSemaphore]
        let finished = DispatchSemaphore(value: 0)
        /// What to do next; nil to leave. Written while the threads wait, read after their signal.
        var work: (any ThreadWork)?

        init(helpers: Int) { starts = (0..<helpers).map { _ in DispatchSemaphore(value: 0) } }

        /// Waits for a start and does a helper's part; false when it is to leave. A function of its own, so that no thread
        /// holds the work any more when it signals: the caller of `run` may be about to see that nobody does.
        @inline(never)
        func perform(helper: Int) -> Bool {
            starts[helper].wait()
            guard let work else { return false }
            work.perform(helper + 1)
            return true
        }
    }

    private let shared: Shared

    /// Starts `count - 1` threads; the caller of `run` is the other one.
    package init(count: Int) {
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

    /// Does every thread's part of `work`; returns when all are done.
    func run(_ work: any ThreadWork) {
        shared.work = work
        for start in shared.starts { start.signal() }
        work.perform(0)
        for _ in shared.starts { shared.finished.wait() }
        shared.work = nil
    }

    /// Runs `body` once for each number from 0 below the count, each on a thread of its own; returns when all are done.
    package func run(_ body: @escaping @Sendable (Int) -> Void) { run(Body(body)) }

    private final class Body: ThreadWork {
        private let body: @Sendable (Int) -> Void

        init(_ body: @escaping @Sendable (Int) -> Void) { self.body = body }

        func perform(_ number: Int) { body(number) }
    }
}
