import Backbone
import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Files that are changed while a job has them mapped.
    @Suite struct ChangedModelTests {
        private static let project = Swift.Result { try TinyProject() }

        /// Starts a long training and waits for its first checkpoint.
        private static func training(
            _ project: TinyProject, ranks: Int?, settings: [String] = []
        ) throws -> RunningProgram {
            let running = try RunningProgram(
                command: [Program.path]
                    + project.train(
                        [
                            "--set", "train.steps=100000", "--set", "log.every=1", "--set", "checkpoint.every=20",
                            "--set",
                            "eval.every=null",
                        ] + settings), ranks: ranks)
            running.wait { FileManager.default.fileExists(atPath: project.file("run/checkpoints/last")) }
            return running
        }

        /// Checks the message of a job that found its model changed and the state of the run directory afterwards, and that the
        /// run then continues with the correct model.
        private static func expectRefusal(
            _ result: Program.Result, _ project: TinyProject, ranks: Int? = nil, says: [String], original: Data
        ) throws {
            let ranks = ranks ?? 1
            #expect(result.code == 65, "\(result)")
            // When two ranks find the change at the same moment, both may report it.
            #expect((1...ranks).contains(result.sentences.count), "\(result.error)")
            for words in says { #expect(result.error.contains(words), "\(result.error)") }
            for words in ["Fatal error", "Stack dump", "acktrace", "Signal:", "signal 7", "Bus error"] {
                #expect(!result.error.contains(words), "\(result.error)")
            }
            let status = try Status(run: project.file("run"))
            #expect(status.state == "failed" && status.exitCode == 65)
            for words in says { #expect(status.reason.contains(words), "\(status.reason)") }
            let last = try FileManager.default.destinationOfSymbolicLink(
                atPath: project.file("run/checkpoints/last"))
            let durable = try #require(status.lastDurableStep)
            // Nothing was saved at the end: only regular checkpoints exist.
            #expect(durable % 20 == 0 && last.hasSuffix(String(durable)), "\(last), \(durable)")
            try original.write(to: URL(fileURLWithPath: project.file("model/model.safetensors")))
            let next = try Program.run(
                project.train([
                    "--set", "train.steps=100000", "--set", "log.every=1", "--set", "checkpoint.every=20", "--set",
                    "eval.every=null", "--stop-after", String(durable + 1),
                ]))
            #expect(next.code == 85, "\(next)")
            #expect(try Status(run: project.file("run")).step == durable + 1)
        }

        private static func weights(_ project: TinyProject) throws -> (path: String, content: Data) {
            let path = project.file("model/model.safetensors")
            return (path, try Data(contentsOf: URL(fileURLWithPath: path)))
        }

        /// Writes into the last bytes of a file in place.
        private static func overwrite(_ path: String) throws {
            let file = try #require(FileHandle(forWritingAtPath: path))
            let end = try file.seekToEnd()
            try file.seek(toOffset: end - 4)
            try file.write(contentsOf: Data([0, 0, 0, 0x3F]))
            try file.close()
        }

        @Test(arguments: [nil, 2])
        func `a run ends at the next checkpoint when its model is written to`(ranks: Int?) throws {
            let project = try Self.project.get().copy()
            let (path, content) = try Self.weights(project)
            let running = try Self.training(project, ranks: ranks)
            try Self.overwrite(path)
            try Self.expectRefusal(
                running.wait(), project, ranks: ranks,
                says: [path, "was written to while it was in use", "the steps after checkpoint", "restore it"],
                original: content)
        }

        /// The file contains steps of the changed model, and the next start must not continue from them.
        @Test func `the snapshot in a file goes with what cannot be trusted`() throws {
            let project = try Self.project.get().copy()
            let (path, content) = try Self.weights(project)
            let settings = ["--set", "checkpoint.snapshot=file"]
            let running = try Self.training(project, ranks: nil, settings: settings)
            try Self.overwrite(path)
            let result = try running.wait()
            #expect(result.code == 65 && result.error.contains("was written to while it was in use"), "\(result)")
            let left = try FileManager.default.contentsOfDirectory(atPath: project.file("run"))
            #expect(!left.contains { $0.hasPrefix("snapshot-") }, "\(left)")
            let durable = try #require(try Status(run: project.file("run")).lastDurableStep)
            try content.write(to: URL(fileURLWithPath: path))
            let next = try Program.run(
                project.train(
                    [
                        "--set", "train.steps=100000", "--set", "log.every=1", "--set", "checkpoint.every=20", "--set",
                        "eval.every=null", "--stop-after", String(durable + 1),
                    ] + settings))
            #expect(next.code == 85 && !next.output.contains("recovered"), "\(next)")
            #expect(next.output.contains("at step \(durable)\n"), "\(next.output)")
        }

        @Test func `a run ends when another file takes its model's place`() throws {
            let project = try Self.project.get().copy()
            let (path, content) = try Self.weights(project)
            let running = try Self.training(project, ranks: nil)
            try content.write(to: URL(fileURLWithPath: path), options: .atomic)
            try Self.expectRefusal(
                running.wait(), project, says: [path, "was replaced by another file"], original: content)
        }

        @Test(arguments: [nil, 2])
        func `a run ends with a sentence when its model is cut short`(ranks: Int?) throws {
            let project = try Self.project.get().copy()
            let (path, content) = try Self.weights(project)
            let running = try Self.training(project, ranks: ranks)
            let cut = ContinuousClock.now
            try #require(truncate(path, 4096) == 0)
            let result = try running.wait()
            #expect(cut.duration(to: .now) < .seconds(30))
            try Self.expectRefusal(
                result, project, ranks: ranks, says: [path, "was cut short", "restore it"], original: content)
        }

        /// The cache is mapped and read throughout as well.
        @Test func `a run ends when its token cache is written to, and not when an equal one takes its place`() throws {
            let project = try Self.project.get().copy()
            let (_, content) = try Self.weights(project)
            let running = try Self.training(project, ranks: nil)
            let names = try FileManager.default.contentsOfDirectory(atPath: project.file("run/cache"))
            let path = project.file("run/cache/\(try #require(names.first { $0.hasSuffix(".cache") }))")
            let cache = try Data(contentsOf: URL(fileURLWithPath: path))
            let kept = project.file("kept.cache")
            try FileManager.default.linkItem(atPath: path, toPath: kept)
            try cache.write(to: URL(fileURLWithPath: path), options: .atomic)
            func durable() -> Int { (try? Status(run: project.file("run")))?.lastDurableStep ?? 0 }
            let now = durable()
            running.wait { durable() > now + 40 }
            try Self.overwrite(kept)
            try Self.expectRefusal(
                running.wait(), project, says: [path, "was written to while it was in use"], original: content)
        }

        /// `predict` reads lines after it has opened the model, and has no monitor of its health.
        @Test func `no answers are given from a model that was changed`() throws {
            let project = try Self.project.get().copy()
            let trained = try Program.run(project.train(["--set", "train.steps=4", "--set", "lr.warmup=1"]))
            #expect(trained.code == 0, "\(trained)")
            let (path, content) = try Self.weights(project)
            let cases: [(String) throws -> Void] = [
                { try Self.overwrite($0) }, { path in try #require(truncate(path, 4096) == 0) },
            ]
            for (change, words) in zip(cases, ["was written to", "was cut short"]) {
                try content.write(to: URL(fileURLWithPath: path))
                let pipe = project.file("pipe-\(words.count)")
                try #require(mkfifo(pipe, 0o600) == 0)
                let running = try RunningProgram(
                    command: [
                        Program.path, "predict", project.file("run"), "--task", "colour", "--checkpoint", "last",
                        "--input",
                        pipe,
                    ])
                // The pipe can be opened only after the program has opened it, and the program has its model by then.
                var descriptor: Int32 = -1
                running.wait {
                    descriptor = open(pipe, O_WRONLY | O_NONBLOCK)
                    return descriptor >= 0
                }
                let lines = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
                try change(path)
                try lines.write(contentsOf: Data("baran cesel\n".utf8))
                try lines.close()
                let result = try running.wait()
                #expect(result.code == 65 && result.output.isEmpty, "\(result)")
                #expect(result.sentences.count == 1, "\(result.error)")
                #expect(result.error.contains(path) && result.error.contains(words), "\(result.error)")
            }
        }
    }
}
