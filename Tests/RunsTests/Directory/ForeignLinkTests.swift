import Failures
import Foundation
import TestSupport
import Testing

@testable import Runs

/// Links that others may have placed in a run directory to which they can write.
@Suite struct ForeignLinkTests {
    private let directory: TemporaryDirectory
    private let run: RunDirectory
    private let target: String

    init() throws {
        directory = try TemporaryDirectory()
        run = RunDirectory(directory.file("run"))
        try run.create()
        target = try directory.write("target", "{\"step\":1}\nmine")
    }

    private func link(_ path: String, to place: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: place)
    }

    private func expectRefusal(_ path: String, _ body: () throws -> Void) throws {
        try link(path, to: target)
        let failure = #expect(throws: Failure.self) { try body() }
        #expect(failure?.message.contains("\(path): a symbolic link stands there") == true, "\(failure?.message ?? "")")
        #expect(failure?.message.hasSuffix("remove the link or choose another directory") == true)
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "{\"step\":1}\nmine")
    }

    @Test func `the lock, the metrics, a log and a status are neither read nor written through one`() throws {
        try expectRefusal(run.path + "/.lock") { _ = try RunLock(run, patience: .zero) }
        try expectRefusal(run.metrics) { _ = try MetricsLog(path: run.metrics, MetricsLog.Start(step: 8)) }
        try expectRefusal(run.log(rank: 0)) { _ = try RankLogHandler(path: run.log(rank: 0)) }
        let status = RunStatus(
            state: .failed, reason: "", exitCode: nil, step: 4, lastDurableStep: nil, steps: 9, time: 1.5)
        let elsewhere = RunDirectory(directory.file("elsewhere"))
        try elsewhere.create()
        try status.write(to: elsewhere)
        try link(run.status, to: elsewhere.status)
        #expect(RunStatus.read(elsewhere) == status)
        #expect(RunStatus.read(run) == nil)
    }

    @Test func `a pipe in place of the metrics or a log keeps nobody waiting`() throws {
        for path in [run.metrics, run.log(rank: 1)] {
            #expect(mkfifo(path, 0o600) == 0)
            #expect(throws: Failure.self) { _ = try RankLogHandler(path: path) }
        }
        #expect(throws: Failure.self) { _ = try MetricsLog(path: run.metrics, MetricsLog.Start(step: 8)) }
    }

    @Test(arguments: ["checkpoints", "logs"])
    func `a directory may be one's own link`(name: String) throws {
        let path = run.path + "/" + name
        try FileManager.default.moveItem(atPath: path, toPath: directory.file(name))
        try link(path, to: directory.file(name))
        try run.create()
    }

    @Test(
        .enabled(if: getuid() == 0, "only root can make a link another user's"),
        arguments: ["checkpoints", "logs", "cache", "example", "replay"])
    func `a directory that is another user's link is refused`(name: String) throws {
        let path = run.path + "/" + name
        try? FileManager.default.removeItem(atPath: path)
        try link(path, to: directory.path)
        #expect(lchown(path, 12_345, 12_345) == 0)
        let failure = #expect(throws: Failure.self) { try run.create() }
        #expect(failure?.code == .cannotWrite)
        #expect(
            failure?.message
                == "\(path) is a symbolic link that another user (12345) made, so the run does not follow it; remove it or "
                + "choose another --out")
    }

    @Test(.enabled(if: getuid() == 0, "only root can make a link another user's"))
    func `nothing of a part is made where one below it is another user's link`() throws {
        let example = run.path(of: .example)
        #expect(mkdir(example, 0o700) == 0)
        try link(example + "/tasks", to: directory.path)
        #expect(lchown(example + "/tasks", 12_345, 12_345) == 0)
        let before = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        let failure = #expect(throws: Failure.self) { try run.make(.example, with: ["model", "tasks/colour"]) }
        #expect(failure?.message.hasPrefix("\(example)/tasks is a symbolic link that another user") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: example) == ["tasks"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == before)
        unlink(example + "/tasks")
        try run.make(.example, with: ["model", "tasks/colour"])
        #expect(FileManager.default.fileExists(atPath: example + "/tasks/colour"))
    }

    @Test func `the second in a name is no number that cannot be counted on`() throws {
        #expect(EventFile.start(name: "events.out.tfevents.1700000000.host.x") == 1_700_000_000)
        for second in ["9223372036854775807", "99999999999", "-700000000", "+700000000", "x", ""] {
            let name = "events.out.tfevents.\(second).host.x"
            #expect(EventFile.start(name: name) == nil)
            try directory.write("run/\(name)", "")
        }
        _ = try EventFile(in: run.path, after: 0)
    }
}
