import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Ranks that die or stand still: the job ends with their name, and goes on with nothing lost.
    @Suite struct LostRankTests {
        private static let arguments = [
            "--set", "train.steps=400", "--set", "log.every=1", "--set", "checkpoint.every=null", "--set",
            "eval.every=null", "--set", "parallel.stallTimeout=4s",
        ]

        /// The project and what an uninterrupted run leaves.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let whole = try project.copy()
            let result = try Program.run(whole.train(arguments))
            #expect(result.code == 0, "\(result.error)")
            return (project, try Outcome(run: whole.file("run")))
        }

        /// Starts three ranks, sends a signal to some of them on the way, and waits for the end.
        private static func hit(
            _ project: TinyProject, _ ranks: [Int], _ signal: Int32, _ more: [String] = []
        ) throws -> (result: Program.Result, seconds: Double, logged: Int) {
            let running = try RunningProgram(
                command: try project.tellingPids() + project.train(arguments + more), ranks: 3)
            running.wait { project.hasMetrics }
            let sent = ContinuousClock.now
            for rank in ranks { #expect(kill(try project.pid(rank: rank), signal) == 0) }
            let result = try running.wait()
            let seconds = sent.duration(to: .now) / .seconds(1)
            return (result, seconds, try Outcome(run: project.file("run"), isBegun: true).metrics.count)
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
            #expect(result.code != 0 && seconds < 15)
            let status = try Status(run: project.file("run"))
            #expect(status.state == "failed" && status.exitCode == 75)
            #expect(status.reason.hasPrefix("rank \(rank) on ") && status.reason.hasSuffix(" died"))
            // Rank 0 may have been killed between a step and its line, which the others have then.
            #expect((logged...logged + 1).contains(status.step) && status.lastDurableStep == status.step)
            #expect(result.sentences.count == 1, "\(result.error)")
            try Self.expectGoesOn(project, whole)
        }

        @Test(arguments: [0, 2])
        func `a rank that is stopped is named within the limit, and the others save the last step`(rank: Int) throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            let (result, seconds, _) = try Self.hit(project, [rank], SIGSTOP)
            #expect(result.code != 0 && seconds < 4 + 15)
            #expect(result.sentences.count == 1, "\(result.error)")
            #expect(result.error.contains("rank \(rank) on ") && result.error.contains("is stopped since"))
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

        /// Everything stands still, as under a scheduler that suspends jobs: nobody is to blame.
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
