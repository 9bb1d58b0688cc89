import Dispatch
package import Failures
import Foundation
import Heartbeat
import Synchronization

/// The results of `body(0) ... body(count - 1)`, computed by up to `threads` threads.
///
/// Items start in order. Throws the failure of the smallest failing index, independent of the threads' timing.
package func parallelMap<Result: Sendable>(
    _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws(Failure) -> Result
) throws(Failure) -> [Result] {
    let state = Mutex(ParallelMapState<Result>(results: Array(repeating: nil, count: count)))
    withThreads(max(1, min(threads, count))) {
        while true {
            // After a failure only items before it still matter, and all of these have been started.
            let item = state.withLock { state -> Int? in
                guard state.failure == nil, state.next < count else { return nil }
                defer { state.next += 1 }
                return state.next
            }
            guard let item else { return }
            do throws(Failure) {
                let result = try body(item)
                Heartbeat.beat()
                state.withLock { $0.results[item] = result }
            } catch {
                state.withLock { state in
                    if state.failure.map({ item < $0.index }) ?? true { state.failure = (item, error) }
                }
            }
        }
    }
    let final = state.withLock { $0 }
    if let failure = final.failure { throw failure.failure }
    return final.results.map { $0! }
}

/// Runs `body` on the calling thread and on `count - 1` others; returns when all have returned.
///
/// It starts its own threads, because Dispatch has only as many as the process had processors when it started; under mpirun
/// that is often one.
private func withThreads(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    let others = DispatchGroup()
    for _ in 1..<count {
        others.enter()
        Thread {
            body()
            others.leave()
        }.start()
    }
    body()
    others.wait()
}

private struct ParallelMapState<Result: Sendable>: Sendable {
    var next = 0
    var results: [Result?]
    var failure: (index: Int, failure: Failure)?
}
