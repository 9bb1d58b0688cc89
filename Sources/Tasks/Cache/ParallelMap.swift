import Dispatch
import Failures
import Synchronization

/// The results of `body(0) ... body(count - 1)`, computed by up to `threads` threads.
///
/// Items start in order. Throws the failure of the smallest failing index, whatever the threads' timing was.
func parallelMap<Result: Sendable>(
    _ count: Int, threads: Int, _ body: @Sendable (Int) throws(Failure) -> Result
) throws(Failure) -> [Result] {
    let state = Mutex(ParallelMapState<Result>(results: Array(repeating: nil, count: count)))
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
        while true {
            // After a failure only items before it still matter, and those have all been started.
            let item = state.withLock { state -> Int? in
                guard state.failure == nil, state.next < count else { return nil }
                defer { state.next += 1 }
                return state.next
            }
            guard let item else { return }
            do throws(Failure) {
                let result = try body(item)
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

private struct ParallelMapState<Result: Sendable>: Sendable {
    var next = 0
    var results: [Result?]
    var failure: (index: Int, failure: Failure)?
}
