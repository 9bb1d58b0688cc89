import Testing

@testable import Commands

@Suite struct PlanTests {
    /// Threads take micro-batches one after the other, as workers do, and the last to be done decides.
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
