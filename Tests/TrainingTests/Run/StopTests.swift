import Testing

@testable import Training

@Suite struct StopTests {
    /// Ranks' requests are summed in the reduction; a weaker reason of any number of ranks must not look like a
    /// stronger one.
    @Test(arguments: [1, 2, 7, 100_000])
    func `the strongest request of any ranks wins`(ranks: Int64) {
        #expect(StopReason.of(sum: 0) == nil)
        for reason in StopReason.allCases {
            #expect(StopReason.of(sum: reason.rawValue * ranks) == reason)
        }
        #expect(
            StopReason.of(sum: StopReason.terminated.rawValue + ranks * StopReason.preempted.rawValue) == .terminated)
        #expect(
            StopReason.of(sum: StopReason.interrupted.rawValue + ranks * StopReason.terminated.rawValue) == .interrupted
        )
    }

    @Test func `exit codes are those of the interface`() {
        #expect(StopReason.preempted.exitCode == 85)
        #expect(StopReason.terminated.exitCode == 143)
        #expect(StopReason.interrupted.exitCode == 130)
    }

    @Test func `a run stops after its step and at its deadline, not before`() {
        #expect(StopConditions().request(completing: 1) == nil)
        #expect(StopConditions(afterStep: 6).request(completing: 5) == nil)
        #expect(StopConditions(afterStep: 6).request(completing: 6) == .preempted)
        #expect(StopConditions(deadline: 1).request(completing: 1) == .preempted)
        #expect(StopConditions(deadline: 4e12).request(completing: 1) == nil)
    }
}
