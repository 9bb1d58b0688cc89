import Configuration
import Foundation
import Runs
import TestSupport
import Testing

@testable import Studies

@Suite struct StudyDirectoryTests {
    private let temporary: TemporaryDirectory
    private let directory: StudyDirectory

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StudyDirectory(temporary.file("study"))
    }

    /// Paths of a configuration are relative to its file, so that of the token cache must not depend on the working directory.
    @Test func `configurations of a study in a relative directory name its cache by an absolute path`() throws {
        let directory = StudyDirectory("studies/../first")
        let path = FileManager.default.currentDirectoryPath + "/first"
        #expect(directory.path == path && directory.cache == path + "/cache")
        let run = try study("rows: [{name: a}]\n", cache: directory.cache).runs[0]
        #expect(
            run.configuration.resolvedYAML.contains("  cache: \(path)/cache\n"), "\(run.configuration.resolvedYAML)")
    }

    /// The state of the only run of a study with `now` in its key `set`, after it was made with `before`.
    private func state(_ before: String, _ now: String) throws -> StudyDirectory.State {
        func run(_ set: String) throws -> StudyRun { try study("rows: [{name: a}]\nset: {\(set)}\n").runs[0] }
        let made = directory.run(try run(before))
        try directory.write(run(before).configuration.resolvedYAML, to: made.configuration)
        try directory.write(
            "{\"state\": \"finished\", \"reason\": \"\", \"exitCode\": 0, \"step\": 100, \"steps\": 100, \"time\": 0}",
            to: made.status)
        return try directory.state(run(now))
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

    @Test func `a signal that ends a run is named, and is a stop after a request`() {
        func end(_ signal: Int32, asked: Bool) -> RunProcess.End {
            RunProcess.ending(by: signal, isAsked: asked, log: "logs/a.txt")
        }
        #expect(end(SIGTERM, asked: true) == .stopped(143) && end(SIGINT, asked: true) == .stopped(130))
        #expect(end(SIGUSR1, asked: true) == .stopped(85))
        #expect(
            end(SIGKILL, asked: true)
                == .failed(137, "its process was ended by signal 9 (Killed), as when memory is short"))
        #expect(
            end(SIGTERM, asked: false)
                == .failed(143, "its process was ended by signal 15 (Terminated); see logs/a.txt"))
        #expect(
            end(SIGSEGV, asked: true)
                == .failed(139, "its process was ended by signal 11 (Segmentation fault); see logs/a.txt"))
    }
}
