import Runs
import Testing

@testable import Training

@Suite struct LoopOptionsTests {
    /// Goes through all steps as the loop does.
    @Test func `what is counted is what the loop does`() {
        for steps in 1...25 {
            for every in [nil, 1, 2, 3, 7, 24, 25, 26] {
                for evaluatesLast in [false, true] {
                    let options = LoopOptions(
                        steps: steps, logEvery: 1, evaluateEvery: every, evaluatesLast: evaluatesLast,
                        checkpointEvery: every, stop: StopConditions())
                    #expect(options.evaluations == (1...steps).count(where: options.evaluates), "\(options)")
                    #expect(options.checkpoints == (1...steps).count(where: options.saves), "\(options)")
                    #expect(
                        options.saves(steps)
                            && options.evaluates(steps) == (evaluatesLast || every.map { steps % $0 == 0 } ?? false))
                }
            }
        }
    }
}
