import Foundation
import Runs
import TestSupport
import Testing

@testable import Studies

/// What a process starts next. Other processes are played by this one, which takes the locks of run directories.
@Suite struct RunChoiceTests {
    private let temporary: TemporaryDirectory
    private let directory: StudyDirectory
    private let study: Study
    private let states: RunStates

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StudyDirectory(temporary.file("study"))
        study = try StudiesTests.study(
            """
            rows:
              - {name: warm, from: source, tasks: [rte]}
              - {name: fresh, tasks: [rte]}
              - {name: source, tasks: [cola]}
            """, directory: directory.runs)
        states = RunStates(study, in: directory, adapter: { _ in nil }, change: { _, _ in nil })
    }

    private func run(_ row: String) throws -> StudyRun { try #require(study.runs.first { $0.name == row + "/seed-1" }) }

    /// A process with these runs of its own, which leaves others alone unless it `helps`.
    private func choice(_ rows: [String], delay: Duration = .zero, helps: Bool = false) throws -> RunChoice {
        var choice = RunChoice(try rows.map(run), of: study.runs, states: states, in: directory, delay: delay)
        if !helps { choice.keepToOwn() }
        return choice
    }

    private func hold(_ row: String) throws -> RunLock {
        let files = directory.run(try run(row))
        try directory.make(files.path)
        return try RunLock(files)
    }

    private func next(_ choice: inout RunChoice, running: [String] = []) -> RunChoice.Next {
        choice.next(running: Set(running.map { $0 + "/seed-1" })) { _, _ in }
    }

    @Test func `a run is started when the one with whose adapter it begins is finished`() throws {
        var choice = try choice(["fresh", "source", "warm"])
        #expect(try next(&choice) == .start(run("fresh")))
        #expect(try next(&choice, running: ["fresh"]) == .start(run("source")))
        #expect(next(&choice, running: ["fresh", "source"]) == .nothing)
        try directory.finish(run("source"))
        #expect(try next(&choice, running: ["fresh"]) == .start(run("warm")))
        try directory.finish(run("fresh"))
        try directory.finish(run("warm"))
        var ended: [String] = []
        #expect(choice.next(running: []) { run, _ in ended.append(run.name) } == .nothing)
        #expect(ended.sorted() == ["fresh/seed-1", "warm/seed-1"])
    }

    @Test func `a process waits for a run that another one trains, and makes it if that one leaves it`() throws {
        var choice = try choice(["warm"])
        var lock: RunLock? = try hold("source")
        #expect(try next(&choice) == .wait(for: run("source")))
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(try next(&choice) == .start(run("source")))
        lock = try hold("source")
        #expect(try next(&choice) == .wait(for: run("source")))
        try directory.finish(run("source"))
        withExtendedLifetime(lock) {}
        lock = nil
        #expect(try next(&choice) == .start(run("warm")))
    }

    @Test func `the origin of another process is left to it at first`() throws {
        var choice = try choice(["warm"], delay: .seconds(600))
        #expect(next(&choice) == .pause)
        let lock = try hold("source")
        #expect(try next(&choice) == .wait(for: run("source")))
        withExtendedLifetime(lock) {}
    }

    @Test func `after its own runs a process takes over those of others, the last ones first`() throws {
        var choice = try choice(["source"], helps: true)
        #expect(try next(&choice) == .start(run("source")))
        #expect(try next(&choice, running: ["source"]) == .start(run("fresh")))
        let lock = try hold("fresh")
        try directory.finish(run("source"))
        #expect(try next(&choice) == .start(run("warm")))
        #expect(try next(&choice, running: ["warm"]) == .held([run("fresh")]))
        withExtendedLifetime(lock) {}
    }

    @Test func `a run that another job holds is not started`() throws {
        var choice = try choice(["fresh"])
        let lock = try hold("fresh")
        #expect(try next(&choice) == .held([run("fresh")]))
        withExtendedLifetime(lock) {}
    }

    @Test func `a run that failed before is tried again once, one that fails meanwhile is not`() throws {
        let fresh = try run("fresh")
        try directory.write("before\n", to: directory.failure(fresh))
        var first = try choice(["fresh"])
        #expect(next(&first) == .start(fresh))
        try directory.write("meanwhile\n", to: directory.failure(fresh))
        var ended: [RunStates.State] = []
        #expect(first.next(running: []) { _, state in ended.append(state) } == .nothing)
        #expect(ended == [.failed("meanwhile")])
        var second = try choice(["fresh"])
        #expect(next(&second) == .start(fresh))
    }

    @Test func `what begins with the adapter of a run that failed ends with it`() throws {
        var choice = try choice(["source", "warm"])
        let source = try run("source")
        #expect(next(&choice) == .start(source))
        try directory.write("a loss is not finite\n", to: directory.failure(source))
        choice.settle(source)
        var ended: [RunStates.State] = []
        #expect(choice.next(running: []) { _, state in ended.append(state) } == .nothing)
        #expect(
            ended == [
                .unreachable("it begins with the adapter of source/seed-1, which has failed: a loss is not finite")
            ])
    }
}
