import Foundation
import TestSupport
import Testing

@testable import Runs

/// What became of a run.
@Suite struct RunConditionTests {
    private static func condition(_ directory: TemporaryDirectory, _ state: RunStatus.State) throws -> RunCondition {
        let run = RunDirectory(directory.path)
        try RunStatus(state: state, reason: "why", exitCode: nil, step: 3, steps: 9, time: 0).write(to: run)
        return try #require(RunCondition.conditions([run]).first)
    }

    @Test func `a status says how a run ended`() throws {
        let directory = try TemporaryDirectory()
        #expect(RunCondition.conditions([RunDirectory(directory.path)]) == [.unknown])
        #expect(try Self.condition(directory, .finished) == .finished)
        #expect(try Self.condition(directory, .preempted) == .stopped)
        #expect(try Self.condition(directory, .failed) == .failed("why"))
        #expect(RunCondition.failed("why").word == "failed" && RunCondition.finished.word == nil)
    }

    @Test func `a run that says it runs was killed unless a job holds it`() throws {
        let directory = try TemporaryDirectory()
        #expect(try Self.condition(directory, .running) == .killed)
        let lock = open(directory.file(".lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(lock) }
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        #expect(try Self.condition(directory, .running) == .running)
    }
}
