import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Signals to a running job: how it ends, what it leaves, and that nothing is lost.
    @Suite struct StopSignalTests {
        struct Signal: CustomTestStringConvertible, Sendable {
            var testDescription: String
            var number: Int32
            var code: Int32
            var reason: String

            static let all = [
                Signal(testDescription: "SIGUSR1", number: SIGUSR1, code: 85, reason: "preempted"),
                Signal(testDescription: "SIGTERM", number: SIGTERM, code: 143, reason: "terminated"),
                Signal(testDescription: "SIGHUP", number: SIGHUP, code: 143, reason: "terminated"),
                Signal(testDescription: "SIGINT", number: SIGINT, code: 130, reason: "interrupted"),
            ]
        }

        /// The run is long enough to be interrupted and short enough to be completed; no checkpoint is due before the end.
        private static let arguments = [
            "--set", "train.steps=1200", "--set", "log.every=1", "--set", "checkpoint.every=null", "--set",
            "eval.every=null",
        ]

        /// The project, and the result of an uninterrupted run.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let whole = try project.copy()
            let result = try Program.run(whole.train(arguments))
            #expect(result.code == 0, "\(result.error)")
            return (project, try Outcome(run: whole.file("run")))
        }

        @Test(arguments: Signal.all, [nil, 2])
        func `a signal to one process ends the job, and it goes on with the same bits`(
            signal: Signal, ranks: Int?
        ) throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            let running = try RunningProgram(
                command: try project.tellingPids() + project.train(Self.arguments), ranks: ranks)
            running.wait { project.hasMetrics }
            let sent = ContinuousClock.now
            #expect(kill(try project.pid(rank: (ranks ?? 1) - 1), signal.number) == 0)
            let result = try running.wait()
            #expect(sent.duration(to: .now) < .seconds(Program.promptly))
            #expect(result.code == signal.code, "\(result.error)")
            #expect(result.sentences.isEmpty, "\(result.error)")

            let status = try Status(run: project.file("run"))
            #expect(status.state == "preempted")
            #expect(status.exitCode == signal.code)
            #expect(status.reason.contains(signal.reason), "\(status.reason)")
            // Every step is logged; if a step was kept just before the signal, the next start writes its line.
            let lines = try Outcome(run: project.file("run")).trainLines
            let logged = status.step
            #expect((lines...lines + 1).contains(logged) && status.lastDurableStep == logged)
            #expect((1..<1200).contains(logged), "the signal came too late: step \(logged)")
            let checkpoints = try FileManager.default.contentsOfDirectory(atPath: project.file("run/checkpoints"))
            #expect(checkpoints.filter { $0.hasPrefix("step-") } == [String(format: "step-%08d", logged)])

            let again = try Program.run(project.train(Self.arguments))
            #expect(again.code == 0, "\(again.error)")
            #expect(again.output.contains("at step \(logged)\n"), "\(again.output)")
            #expect(try Outcome(run: project.file("run")) == whole)
        }

        @Test func `a signal during the start ends the job before its first step`() throws {
            let project = try Self.shared.get().0.copy()
            let rows = (0..<300_000).map { "ba\($0) ce\($0 / 7) di\($0 % 13)\t\($0 % 3 == 0 ? "r" : "b")\n" }
            try project.write("colour/train.tsv", "sentence\tlabel\n" + rows.joined())
            let running = try RunningProgram(command: try project.tellingPids() + project.train(), ranks: 2)
            running.wait { FileManager.default.fileExists(atPath: project.file("run/cache")) }
            #expect(kill(try project.pid(rank: 1), SIGTERM) == 0)
            let result = try running.wait()
            #expect(result.code == 143, "\(result)")
            #expect(result.output.contains("stopped before the first step of this job"), "\(result.output)")
            let status = try Status(run: project.file("run"))
            #expect(status.state == "preempted" && status.exitCode == 143 && status.step == 0)
            #expect(try Program.run(project.train(["--stop-after", "1"])).code == 85)
        }

        @Test func `a run leaves before the end of its job, or says that it does not know it`() throws {
            let project = try Self.shared.get().0.copy()
            let arguments = project.train(["--set", "train.stopBefore=2m", "--set", "train.steps=3"])
            // The run has no time at all: if each start made one step, the job would be queued again for ever.
            let end = Int(Date().timeIntervalSince1970) + 90
            let left = try Program.run(arguments, environment: ["SLURM_JOB_END_TIME": "\(end)"])
            #expect(left.code == 85 && left.output.contains("nothing is trained"), "\(left)")
            #expect(try Status(run: project.file("run")).step == 0)
            // The signal should come in the middle of the run; a busy machine needs more time for the start.
            for spare in [4, 16, 64] {
                let soon = Int(Date().timeIntervalSince1970) + 120 + spare
                let out = project.file("long-\(spare)")
                let some = try Program.run(
                    project.train([
                        "--set", "train.stopBefore=2m", "--set", "train.steps=100000", "--set", "lr.warmup=0",
                    ])
                        + ["--out", out], environment: ["SLURM_JOB_END_TIME": "\(soon)"])
                #expect(some.code == 85, "\(some)")
                if try Status(run: out).step == 0, spare < 64 { continue }
                #expect(try !some.output.contains("stopBefore") && Status(run: out).step > 0, "\(some)")
                break
            }
            let done = try Program.run(arguments)
            #expect(done.code == 0 && done.output.contains("warning: train.stopBefore has no effect"), "\(done)")
        }

        @Test func `an end of the job in the past is said and ignored`() throws {
            let project = try Self.shared.get().0.copy()
            let done = try Program.run(
                project.train(["--set", "train.stopBefore=2m", "--set", "train.steps=3"]),
                environment: ["SLURM_JOB_END_TIME": "1700000000"])
            #expect(done.code == 0 && done.output.contains("SLURM_JOB_END_TIME is"), "\(done)")
            #expect(try Status(run: project.file("run")).step == 3)
        }

        /// A collective could not end: the other rank takes part in none.
        @Test(arguments: [0, 1])
        func `SIGTERM ends a rank whose neighbour has stopped, and nothing is lost`(stopped: Int) throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            let running = try RunningProgram(
                command: try project.tellingPids() + project.train(Self.arguments), ranks: 2)
            running.wait { project.hasMetrics }
            #expect(kill(try project.pid(rank: stopped), SIGSTOP) == 0)
            usleep(300_000)
            let logged = try Outcome(run: project.file("run"), isBegun: true).trainLines
            let sent = ContinuousClock.now
            #expect(kill(try project.pid(rank: 1 - stopped), SIGTERM) == 0)
            _ = try running.wait()
            #expect(sent.duration(to: .now) < .seconds(Program.promptly))
            let status = try Status(run: project.file("run"))
            #expect(status.state == "preempted" && status.exitCode == 143, "\(status)")
            // Rank 0 may have been stopped between computing a step and writing its line; then the other rank has the line.
            #expect((logged...logged + 1).contains(status.step) && status.lastDurableStep == status.step)
            #expect(try Program.run(project.train(Self.arguments), ranks: 2).code == 0)
            #expect(try Outcome(run: project.file("run")) == whole)
        }

        @Test func `SIGQUIT ends a run at once and without a backtrace`() throws {
            let project = try Self.shared.get().0.copy()
            let running = try RunningProgram(
                command: try project.tellingPids() + project.train(["--set", "train.steps=100000"] + Self.endless))
            running.wait { project.hasMetrics }
            #expect(kill(try project.pid(rank: 0), SIGQUIT) == 0)
            let result = try running.wait()
            #expect(result.code == 131 && result.error.isEmpty, "\(result)")
        }

        @Test func `a run that is to outlive its terminal ignores SIGHUP`() throws {
            let project = try Self.shared.get().0.copy()
            let command = try project.perRank("trap '' HUP; echo $$ > '\(project.path)/pid.'$rank; exec \"$@\"\n")
            let running = try RunningProgram(
                command: command + project.train(["--set", "train.steps=1200", "--set", "log.every=1"]))
            running.wait { project.hasMetrics }
            #expect(kill(try project.pid(rank: 0), SIGHUP) == 0)
            let result = try running.wait()
            #expect(result.code == 0, "\(result)")
        }

        private static let endless = ["--set", "log.every=1", "--set", "checkpoint.every=null"]
    }
}
