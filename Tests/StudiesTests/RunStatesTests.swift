import Configuration
import Foundation
import Runs
import TestSupport
import Testing

@testable import Studies

@Suite struct RunStatesTests {
    private let temporary: TemporaryDirectory
    private let directory: StudyDirectory

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StudyDirectory(temporary.file("study"))
    }

    /// The state of the only run of a study with `now` in its key `set`, after it was made with `before`.
    private func state(_ before: String, _ now: String) throws -> RunStates.State {
        func study(_ set: String) throws -> Study { try StudiesTests.study("rows: [{name: a}]\nset: {\(set)}\n") }
        try directory.finish(study(before).runs[0])
        let present = try study(now)
        return RunStates(present, in: directory, adapter: { _ in nil }, change: { _, _ in nil }).state(present.runs[0])
    }

    @Test(arguments: [
        ("eval.batch: 8", "eval.batch: 4", "eval.batch was 8 and is 4"),
        ("eval.split: test", "eval.split: validation", "eval.split was test and is validation"),
        ("checkpoint.best: average", "checkpoint.best: taskMean", "checkpoint.best was average and is taskMean"),
        ("data.maxSource: 64", "data.maxSource: 32", "data.maxSource was 64 and is 32"),
        ("lr.peak: 1e-3", "lr.peak: 1e-2", "lr.peak was"),
        ("model: /models/small", "model: /models/base", "model was /models/small and is /models/base"),
    ])
    func `a finished run with another configuration is not used`(before: String, now: String, difference: String) throws
    {
        guard case .other(let sentence) = try state(before, now) else {
            Issue.record("the run is used")
            return
        }
        #expect(sentence.contains("was made with another configuration (\(difference)"), "\(sentence)")
    }

    @Test(arguments: [
        ("log.every: 1", "log.every: 2"), ("data.cache: /a", "data.cache: /b"),
        ("model: /here/small", "model: /there/small"),
    ])
    func `log, cache and the place of the model do not matter`(before: String, now: String) throws {
        #expect(try state(before, now) == .finished)
    }

    // MARK: - Runs that begin with the adapter of another

    /// Run `b` begins with the adapter of run `a`.
    private func pair() throws -> (study: Study, a: StudyRun, b: StudyRun) {
        let file = "rows:\n  - {name: b, from: a, tasks: [rte]}\n  - {name: a, tasks: [cola]}\n"
        let study = try study(file, directory: directory.runs)
        return (study, study.runs[0], study.runs[1])
    }

    @Test func `a run waits for the one with whose adapter it begins`() throws {
        let (study, a, b) = try pair()
        let states = RunStates(study, in: directory, adapter: { _ in "digest" }, change: { _, _ in nil })
        #expect(a.name == "a/seed-1" && states.state(a) == .open && states.state(b) == .waiting)
        try directory.finish(a)
        #expect(states.state(a) == .finished && states.state(b) == .open)
    }

    @Test func `what keeps the origin from being used is said of the run that needs it`() throws {
        let (study, a, b) = try pair()
        let states = RunStates(study, in: directory, adapter: { _ in "digest" }, change: { _, _ in nil })
        try directory.write("a loss is not finite\n", to: directory.failure(a))
        let failed = "it begins with the adapter of a/seed-1, which has failed: a loss is not finite"
        #expect(states.state(b) == .unreachable(failed))
        try directory.finish(a, "lr.peak=0.5")
        guard case .unreachable(let sentence) = states.state(b) else {
            Issue.record("the run can begin")
            return
        }
        #expect(
            sentence.hasPrefix("it begins with the adapter of a/seed-1, which is not used: ")
                && sentence.contains("was made with another configuration (lr.peak was 0.5"), "\(sentence)")
    }

    /// A finished run, and one that was stopped, both began with the adapter whose digest is `first`.
    @Test(arguments: [true, false])
    func `a run that began with another adapter than its origin has now is not used`(isFinished: Bool) throws {
        let (study, a, b) = try pair()
        try directory.finish(a)
        if isFinished { try directory.finish(b) }
        let identity = RunState.Identity(configuration: "", layout: "", backbone: "", data: "", origin: "first")
        let state = RunState(
            step: 1, steps: 2, seed: 1, identity: identity, best: nil, owesEvaluation: false,
            accumulator: MetricsAccumulator(tasks: 1), libraries: [:])
        try directory.write(
            String(decoding: state.encoded(), as: UTF8.self),
            to: directory.run(b).path + "/checkpoints/step-00000001/state.json")
        try FileManager.default.createSymbolicLink(
            atPath: directory.run(b).path + "/checkpoints/last", withDestinationPath: "step-00000001")
        #expect(
            RunStates(study, in: directory, adapter: { _ in "first" }, change: { _, _ in nil }).state(b)
                == (isFinished ? .finished : .open))
        var asked: [String] = []
        let changed = RunStates(
            study, in: directory,
            adapter: { run in
                asked.append(run.path)
                return "second"
            }, change: { _, _ in nil })
        let path = directory.run(b).path
        #expect(
            changed.state(b)
                == .other(
                    "\(path) began with another adapter than a/seed-1 has now, as when that run was made again; use another "
                        + "--out, or remove it"))
        #expect(asked == [directory.run(a).path])
    }

    @Test func `a run that another row's run was the origin of is not used`() throws {
        let (study, a, b) = try pair()
        try directory.finish(a)
        try directory.finish(b, "init.from=/elsewhere/runs/c/seed-1")
        guard
            case .other(let sentence) = RunStates(study, in: directory, adapter: { _ in nil }, change: { _, _ in nil })
                .state(b)
        else {
            Issue.record("the run is used")
            return
        }
        #expect(sentence.contains("(init.from was /elsewhere/runs/c/seed-1 and is \(directory.runs)/a/seed-1)"))
    }
}

extension StudyDirectory {
    /// Writes what a finished run leaves, as far as its state is concerned; it was made with the run's keys and these.
    func finish(_ run: StudyRun, _ assignments: String...) throws {
        let files = self.run(run)
        let configuration = try RunConfiguration.load(
            yaml: run.configuration.resolvedYAML, name: "", directory: "/", isOwn: true,
            settings: assignments.map { assignment in try Settings(shared: assignment) })
        try write(configuration.resolvedYAML, to: files.configuration)
        try write(
            "{\"state\": \"finished\", \"reason\": \"\", \"exitCode\": 0, \"step\": 100, \"steps\": 100, \"time\": 0}",
            to: files.status)
    }
}
