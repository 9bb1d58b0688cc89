import Foundation
import TestSupport
import Testing

@testable import Runs

extension ProgramTests {
    /// Ranks that die or hang: the job ends and names them, and continues later without loss.
    @Suite struct LostRankTests {
        private static let arguments = [
            "--set", "train.steps=1200", "--set", "log.every=1", "--set", "checkpoint.every=null", "--set",
            "eval.every=null", "--set", "parallel.stallTimeout=4s",
        ]

        /// The project, and the result of an uninterrupted run.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let whole = try project.copy()
            let result = try Program.run(whole.train(arguments))
            #expect(result.code == 0, "\(result.error)")
            return (project, try Outcome(run: whole.file("run")))
        }

        /// Starts three ranks, sends a signal to some of them during the run, and waits for the end.
        private static func hit(
            _ project: TinyProject, _ ranks: [Int], _ signal: Int32, _ more: [String] = []
        ) throws -> (result: Program.Result, seconds: Double, logged: Int) {
            let running = try RunningProgram(
                command: try project.tellingPids() + project.train(arguments + more), ranks: 3)
            // After three steps both snapshot files have been written, and at least one of them is complete.
            running.wait { project.loggedSteps >= 3 }
            let sent = ContinuousClock.now
            for rank in ranks { #expect(kill(try project.pid(rank: rank), signal) == 0) }
            let result = try running.wait()
            let seconds = sent.duration(to: .now) / .seconds(1)
            return (result, seconds, try Outcome(run: project.file("run"), isBegun: true).trainLines)
        }

        private static func expectGoesOn(_ project: TinyProject, _ whole: Outcome, _ more: [String] = []) throws {
            let again = try Program.run(project.train(arguments + more), ranks: 2)
            #expect(again.code == 0, "\(again.error)")
            #expect(try Outcome(run: project.file("run")) == whole)
        }

        @Test(arguments: [0, 2])
        func `a rank that is killed is named, and the others save the last step`(rank: Int) throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            let (result, seconds, logged) = try Self.hit(project, [rank], SIGKILL)
            #expect(result.code != 0 && seconds < Program.promptly)
            let status = try Status(run: project.file("run"))
            #expect(status.state == "failed" && status.exitCode == 75)
            #expect(status.reason.hasPrefix("rank \(rank) on ") && status.reason.hasSuffix(" died"))
            // Rank 0 may have been killed between a step and its line; then the other ranks have the line.
            #expect((logged...logged + 1).contains(status.step) && status.lastDurableStep == status.step)
            #expect(result.sentences.count == 1, "\(result.error)")
            try Self.expectGoesOn(project, whole)
        }

        @Test(arguments: [0, 2])
        func `a rank that is stopped is named within the limit, and the others save the last step`(rank: Int) throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            let (result, seconds, _) = try Self.hit(project, [rank], SIGSTOP)
            #expect(result.code != 0 && seconds < Program.promptly)
            #expect(result.sentences.count == 1, "\(result.error)")
            #expect(result.error.contains("rank \(rank) on ") && result.error.contains("has been stopped for"))
            let status = try Status(run: project.file("run"))
            #expect(status.state == "failed" && status.exitCode == 75)
            #expect(status.lastDurableStep == status.step && status.step > 0)
            try Self.expectGoesOn(project, whole)
        }

        @Test func `all ranks may be killed at once where the snapshot is in a file`() throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            let file = ["--set", "checkpoint.snapshot=file"]
            let (_, _, logged) = try Self.hit(project, [2, 0, 1], SIGKILL, file)
            #expect(try FileManager.default.contentsOfDirectory(atPath: project.file("run/checkpoints")) == [])
            let next = try Program.run(project.train(Self.arguments + file + ["--stop-after", "1"]))
            #expect(next.code == 85, "\(next.error)")
            #expect(
                [logged, logged - 1].contains { next.output.contains("recovered step \($0) from the snapshot") },
                "\(next.output)")
            try Self.expectGoesOn(project, whole, file)
            #expect(!FileManager.default.fileExists(atPath: project.file("run/snapshot-0.bin")))
        }

        /// An incomplete snapshot is named; if it was the only result, the run does not start from scratch.
        @Test func `snapshots that are damaged are refused by name`() throws {
            let (original, outcome) = try Self.shared.get()
            let project = try original.copy()
            let file = ["--set", "checkpoint.snapshot=file"]
            _ = try Self.hit(project, [2, 0, 1], SIGKILL, file)
            let paths = (0..<2).map { project.file("run/snapshot-\($0).bin") }
            // The kill may have torn the file that was being written. From here on both files contain the newest step.
            let whole = try #require(
                paths.compactMap { path in
                    FileManager.default.contents(atPath: path).flatMap { content in
                        content.withUnsafeBytes { SnapshotFile.parse($0, path) }.map { (content, $0.state.step) }
                    }
                }.max { $0.1 < $1.1 }?.0)
            for path in paths { try whole.write(to: URL(fileURLWithPath: path)) }
            for path in paths {
                let content = try #require(FileManager.default.contents(atPath: path))
                var damaged = content
                damaged[3_000] ^= 1
                try damaged.write(to: URL(fileURLWithPath: path))
                let lines = try String(contentsOfFile: project.file("run/metrics.jsonl"), encoding: .utf8)
                let again = try Program.run(
                    project.train(Self.arguments + file + (path == paths[0] ? ["--stop-after", "1"] : [])))
                guard path == paths[0] else {
                    #expect(again.code == 65 && again.sentences.count == 1, "\(again)")
                    #expect(again.error.contains("snapshot-1.bin: it is incomplete"), "\(again.error)")
                    #expect(try String(contentsOfFile: project.file("run/metrics.jsonl"), encoding: .utf8) == lines)
                    continue
                }
                #expect(again.code == 85, "\(again)")
                #expect(again.output.contains("refused \(path): it is incomplete"), "\(again.output)")
                #expect(again.output.contains("from the snapshot of a job that was killed"), "\(again.output)")
                try Self.expectGoesOn(project, outcome, file)
                // The state after a kill during the first steps: one file and no checkpoint.
                try FileManager.default.removeItem(atPath: project.file("run/checkpoints"))
                try content.write(to: URL(fileURLWithPath: paths[1]))
            }
        }

        /// Only rank 0 decodes; the others wait three times as long as a rank may make no progress.
        @Test func `ranks wait for a long evaluation`() throws {
            let (original, _) = try Self.shared.get()
            let project = try original.copy()
            let rows = try String(contentsOfFile: project.file("colour/validation.tsv"), encoding: .utf8)
                .split(separator: "\n").dropFirst()
            // The number of repetitions is increased until this takes long enough on this machine; otherwise nothing was shown.
            var (repeats, seconds) = (2_000, 0.0)
            while seconds <= 3 * 2, repeats < 100_000 {
                let many = (0..<repeats).map { _ in rows.joined(separator: "\n") }
                try project.write("colour/validation.tsv", "sentence\tlabel\n" + many.joined(separator: "\n") + "\n")
                let result = try Program.run(
                    [
                        "train", "--config", project.configuration, "--out", project.file("run-\(repeats)"), "--set",
                        "train.steps=3", "--set", "eval.every=2", "--set", "eval.atEnd=false", "--set",
                        "eval.maxExamples=null", "--set", "parallel.stallTimeout=2s",
                    ], ranks: 3)
                try #require(result.code == 0, "\(result.error)")
                seconds = try Self.evaluationSeconds(project.file("run-\(repeats)"))
                repeats = Int(Double(repeats) * max(2, 9 / seconds))
            }
            #expect(seconds > 3 * 2)
        }

        /// Duration of the only evaluation of a run.
        private static func evaluationSeconds(_ run: String) throws -> Double {
            let evaluations = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8)
                .split(separator: "\n").filter { $0.contains("\"kind\":\"evaluation\"") }
            try #require(evaluations.count == 1)
            let fields = try JSONSerialization.jsonObject(with: Data(evaluations[0].utf8)) as? [String: Any]
            return try #require((fields?["timing"] as? [String: Any])?["seconds"] as? Double)
        }

        /// All processes are stopped, as by a scheduler that suspends jobs: no rank is to blame.
        @Test func `a job that is suspended as a whole goes on`() throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            let running = try RunningProgram(
                command: try project.tellingPids() + project.train(Self.arguments), ranks: 2)
            running.wait { project.hasMetrics }
            let pids = try (0..<2).map { try project.pid(rank: $0) }
            for pid in pids { #expect(kill(pid, SIGSTOP) == 0) }
            sleep(6)
            for pid in pids { #expect(kill(pid, SIGCONT) == 0) }
            let result = try running.wait()
            #expect(result.code == 0, "\(result.error)")
            #expect(try Outcome(run: project.file("run")) == whole)
        }
    }
}
