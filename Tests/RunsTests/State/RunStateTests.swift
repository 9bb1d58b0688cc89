import Failures
import Foundation
import Testing

@testable import Runs

@Suite struct RunStateTests {
    private static func state(_ change: (inout RunState) -> Void = { _ in }) throws -> Data {
        var state = RunState(
            step: 8, steps: 16, seed: .max,
            identity: RunState.Identity(configuration: "", layout: "l", backbone: "b", data: "d"),
            best: RunState.Best(step: 4, value: 0.5, measure: "m"), owesEvaluation: true,
            accumulator: MetricsAccumulator(tasks: 2), libraries: ["blas": "x"])
        change(&state)
        return try state.encoded()
    }

    @Test func `a state comes back`() throws {
        let data = try Self.state()
        #expect(try RunState(data, path: "c").encoded() == data)
    }

    /// Each of these would end the program with an overflow some steps later.
    @Test(
        arguments: [
            { $0.step = -1 }, { $0.step = .max }, { $0.steps = .max }, { $0.best?.step = -1 },
            { $0.skippedInARow = -1 },
            { $0.accumulator.steps = .max }, { $0.accumulator.tasks[1].tokens = .max },
            { $0.accumulator.tasks[0].examples = -1 }, { $0.accumulator.tasks[0].sourceTokens = .max },
        ] as [@Sendable (inout RunState) -> Void])
    func `numbers that no run has are refused`(change: @Sendable (inout RunState) -> Void) throws {
        let data = try Self.state(change)
        let failure = #expect(throws: Failure.self) { try RunState(data, path: "c") }
        #expect(failure == Failure(.badData, "c: state.json has a number that no run has; use another checkpoint"))
    }

    @Test func `what is no state, or one of another format, is refused`() throws {
        for data in [try Self.state { $0.format = 2 }, Data("{}".utf8), Data(repeating: 0x5B, count: 1 << 20)] {
            let failure = #expect(throws: Failure.self) { try RunState(data, path: "c") }
            #expect(failure?.message.contains("is not a state of this program") == true)
        }
    }
}
