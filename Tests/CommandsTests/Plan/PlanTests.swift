import Testing

@testable import Commands

@Suite struct PlanTests {
    /// Each thread takes one micro-batch after another, like the workers, and the last one to finish decides.
    @Test func `a step takes as long as its busiest thread`() {
        for own in 1...12 {
            for threads in 1...14 {
                var done = [Int](repeating: 0, count: threads)
                for _ in 0..<own { done[done.firstIndex(of: done.min()!)!] += 4 }
                #expect(Plan.examplesInTurn(own: own, threads: threads, micro: 4) == done.max())
            }
        }
    }
}
