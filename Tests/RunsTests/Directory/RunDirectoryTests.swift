import Failures
import Foundation
import TestSupport
import Testing

@testable import Runs

@Suite struct RunDirectoryTests {
    private func refusal(_ path: String) -> Failure? {
        #expect(throws: Failure.self) { try RunDirectory(path).create() }
    }

    @Test func `a run directory is made with its parents, and again without harm`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.file("runs/one"))
        try run.create()
        try directory.write("runs/one/STATUS.json", "{}")
        try Data("kept".utf8).write(to: URL(fileURLWithPath: run.metrics))
        try run.create()
        #expect(try String(contentsOfFile: run.metrics, encoding: .utf8) == "kept")
        let names = try FileManager.default.contentsOfDirectory(atPath: run.path).sorted()
        #expect(names.filter { !$0.contains(".json") } == ["checkpoints", "logs"])
    }

    @Test(arguments: ["config.yaml", "metrics.jsonl", "data.json"])
    func `a directory with a file of a run's name and no run is refused and left alone`(name: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write(name, "mine")
        let failure = refusal(directory.path)
        #expect(failure?.code == .cannotWrite)
        #expect(failure?.message.hasPrefix("\(directory.file(name)) belongs to no run, as ") == true)
        #expect(failure?.message.hasSuffix("a run would overwrite it; choose another --out") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [name])
        // Each of these files shows that a run has begun here.
        for sign in ["STATUS.json", ".lock", "checkpoints/step-00000003/MANIFEST.json"] {
            let begun = try TemporaryDirectory()
            try begun.write(name, "")
            try begun.write(sign, "")
            try RunDirectory(begun.path).create()
        }
    }

    @Test(arguments: ["file", "file/run", "good/checkpoints"])
    func `a file where a directory should be is refused with its path`(name: String) throws {
        let directory = try TemporaryDirectory()
        try directory.write(name.hasPrefix("good") ? name : "file", "")
        let run = name == "good/checkpoints" ? "good" : name
        let failure = refusal(directory.file(run))
        #expect(failure?.code == .cannotWrite)
        #expect(failure?.message.hasPrefix("the run directory \(directory.file(name)) cannot be created (") == true)
        #expect(failure?.message.hasSuffix("; choose another with --out") == true)
    }

    /// Not even root may write there.
    @Test func `a place that does not take directories is refused`() {
        let failure = refusal("/proc/self/run")
        #expect(failure?.code == .cannotWrite)
        #expect(failure?.message.contains("/proc/self/run cannot be created (") == true)
    }

    @Test(.enabled(if: getuid() != 0, "root may write everywhere"))
    func `a directory without permission to write is refused`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.file("run"))
        try run.create()
        #expect(chmod(run.path, 0o555) == 0)
        defer { chmod(run.path, 0o755) }
        #expect(
            refusal(run.path)?.message == "the run directory \(run.path) is not writable; choose another with --out")
    }

    @Test func `logs of ranks have names of their own that sort by rank`() {
        let run = RunDirectory("r")
        #expect(run.log(rank: 3) == "r/logs/rank-00003.log")
        #expect(run.log(rank: 123_456) == "r/logs/rank-123456.log")
    }

    @Test func `a status replaces the one before as a whole and reads back`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        #expect(RunStatus.read(run) == nil)
        var status = RunStatus(
            state: .running, reason: "", exitCode: nil, step: 4, lastDurableStep: nil, steps: 9, time: 1.5)
        try status.write(to: run)
        #expect(RunStatus.read(run) == status)
        status.state = .failed
        status.reason = "rank 1: \"a sentence\""
        status.exitCode = 74
        status.lastDurableStep = 4
        try status.write(to: run)
        #expect(RunStatus.read(run) == status)
        #expect(try FileManager.default.contentsOfDirectory(atPath: run.path) == ["STATUS.json"])
        try Data("{".utf8).write(to: URL(fileURLWithPath: run.status))
        #expect(RunStatus.read(run) == nil)
    }

    @Test func `how a job ended is not overwritten by a rank that still runs or fails later`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        func status(_ state: RunStatus.State) -> RunStatus {
            RunStatus(state: state, reason: "", exitCode: nil, step: 3, lastDurableStep: nil, steps: 9, time: 1)
        }
        try status(.running).write(to: run)
        try status(.preempted).write(to: run, keepingEnd: true)
        #expect(RunStatus.read(run)?.state == .preempted)
        for later in [RunStatus.State.running, .failed] {
            try status(later).write(to: run, keepingEnd: true)
            #expect(RunStatus.read(run)?.state == .preempted)
        }
        try status(.running).write(to: run)
        #expect(RunStatus.read(run)?.state == .running)
    }
}
