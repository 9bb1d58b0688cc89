import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Runs that continue from whatever an earlier job left.
    @Suite struct ResumeTests {
        /// The project, and the result of an uninterrupted run.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let whole = try project.copy()
            let result = try Program.run(whole.train())
            #expect(result.code == 0, "\(result.error)")
            return (project, try Outcome(run: whole.file("run")))
        }

        private static func names(_ run: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: run + "/checkpoints").sorted()
        }

        /// Step 8 has an evaluation, which the stopped job does not make.
        @Test func `a run that stops at a step to be evaluated evaluates it when it goes on`() throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            #expect(try Program.run(project.train(["--stop-after", "8"])).code == 85)
            let lines = try Outcome(run: project.file("run")).metrics
            #expect(lines.count == 2 && !lines.contains { $0.contains("evaluation") })
            #expect(try Program.run(project.train(), ranks: 2).code == 0)
            #expect(try Outcome(run: project.file("run")) == whole)
        }

        /// The state after a kill between the checkpoint and the link.
        @Test(arguments: [nil, "step-00000004"])
        func `the link to the best checkpoint is put right`(found: String?) throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            #expect(try Program.run(project.train(["--stop-after", "9"])).code == 85)
            let link = project.file("run/checkpoints/best")
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "step-00000008")
            try FileManager.default.removeItem(atPath: link)
            if let found { try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: found) }
            #expect(try Program.run(project.train(["--stop-after", "10"])).code == 85)
            // If the run has already reached the step, the command does nothing.
            for step in ["10", "3"] {
                #expect(try Program.run(project.train(["--stop-after", step])).code == 85)
                #expect(try Status(run: project.file("run")).step == 10)
            }
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "step-00000008")
            #expect(try Program.run(project.train()).code == 0)
            #expect(try Outcome(run: project.file("run")) == whole)
        }

        @Test func `a run that goes on from another run's checkpoint has one of its own at once`() throws {
            let (original, whole) = try Self.shared.get()
            let project = try original.copy()
            #expect(try Program.run(project.train(["--stop-after", "9"])).code == 85)
            let source = project.file("run/checkpoints/step-00000009")
            let before = try digests(below: project.file("run"))
            let other = project.file("other")
            func train(_ more: [String]) throws -> Program.Result {
                try Program.run(["train", "--config", project.configuration, "--out", other] + more)
            }
            #expect(try train(["--resume", source, "--stop-after", "10"]).code == 85)
            // The other run's best checkpoint is not in this directory.
            #expect(try Self.names(other) == ["last", "step-00000009", "step-00000010"])
            #expect(try Status(run: other).lastDurableStep == 10)
            // A checkpoint of the same step that already exists here belongs to another course, and is kept.
            #expect(try train(["--resume", source, "--stop-after", "11"]).code == 85)
            #expect(
                try Self.names(other) == [
                    "last", "step-00000009", "step-00000011", "superseded-step-00000009-1",
                    "superseded-step-00000010-1",
                ])
            let end = try train([])
            #expect(end.code == 0, "\(end.error)")
            let outcome = try Outcome(run: other)
            #expect(outcome.adapter == whole.adapter && outcome.optimizer == whole.optimizer)
            #expect(outcome.best == "step-00000012")
            #expect(try digests(below: project.file("run")) == before)
        }

        @Test func `a run that nothing evaluated names no best checkpoint`() throws {
            let project = try Self.shared.get().0.copy()
            #expect(try Program.run(project.train(["--set", "eval.every=null", "--stop-after", "11"])).code == 85)
            #expect(try !Self.names(project.file("run")).contains("best"))
        }

        /// A project whose evaluations take a second, and the result of an uninterrupted run.
        private static let slow = Swift.Result {
            let project = try shared.get().0.copy()
            func rows(_ word: String) -> String {
                let rows = (0..<2000).map { "\(word)\($0) ce\($0 / 7) di\($0 % 13)\t\($0 % 3 == 0 ? "r" : "b")\n" }
                return "sentence\tlabel\n" + rows.joined()
            }
            try project.write("colour/validation.tsv", rows("ba"))
            try project.write("colour/test.tsv", rows("fo"))
            try project.replace("eval: {every: 8, maxExamples: 8}", by: "eval: {every: 8, batch: 1}", in: "run.yaml")
            let whole = try project.copy()
            let result = try Program.run(whole.train())
            #expect(result.code == 0, "\(result.error)")
            return (project, try Outcome(run: whole.file("run")))
        }

        /// Step 12 is the last one. With "zero" only rank 0 evaluates, with "all" both ranks do.
        @Test(arguments: [8, 12], [(0, "zero"), (1, "zero"), (1, "all")])
        func `an evaluation is given up when any rank's job is to end, and made when it goes on`(
            step: Int, signalled: (rank: Int, evaluating: String)
        ) throws {
            let (original, whole) = try Self.slow.get()
            let arguments = ["--set", "eval.ranks=\(signalled.evaluating)"]
            let average = "step \(step): validation average"
            var project = try original.copy()
            for attempt in 1...4 {
                if step == 12 {
                    #expect(try Program.run(project.train(arguments + ["--stop-after", "11"])).code == 85)
                }
                let running = try RunningProgram(
                    command: try project.tellingPids() + project.train(arguments), ranks: 2)
                let due = project.file(String(format: "run/checkpoints/step-%08d/MANIFEST.json", step))
                running.wait { FileManager.default.fileExists(atPath: due) }
                #expect(kill(try project.pid(rank: signalled.rank), SIGTERM) == 0)
                let result = try running.wait()
                // On a busy machine the signal may come after the evaluation; but nothing may be printed after the end.
                let parts = result.output.components(separatedBy: "stopped after step")
                #expect(parts.count == 1 || parts.last?.contains(average) == false, "\(result.output)")
                if result.code == 143, !result.output.contains(average) { break }
                try #require(attempt < 4, "\(result.code) \(result.error)\n\(result.output)")
                project = try original.copy()
            }
            let status = try Status(run: project.file("run"))
            #expect(status.state == "preempted" && status.exitCode == 143 && status.lastDurableStep == step)
            let again = try Program.run(project.train(arguments))
            #expect(again.code == 0, "\(again.error)")
            #expect(again.output.contains("test split"), "\(again.output)")
            #expect(try Outcome(run: project.file("run")) == whole)
        }

        @Test(arguments: [0, 1])
        func `the report at the end is given up when any rank's job is to end, and made when it goes on`(
            rank: Int
        ) throws {
            let (original, whole) = try Self.slow.get()
            let project = try original.copy()
            let running = try RunningProgram(command: try project.tellingPids() + project.train(), ranks: 2)
            running.wait {
                let lines = (try? String(contentsOfFile: project.file("run/metrics.jsonl"), encoding: .utf8)) ?? ""
                return lines.components(separatedBy: "\"evaluation\"").count == 3
            }
            #expect(kill(try project.pid(rank: rank), SIGTERM) == 0)
            let result = try running.wait()
            #expect(result.code == 143 && !result.output.contains("test split"), "\(result)")
            #expect(try Status(run: project.file("run")).state == "preempted")
            let again = try Program.run(project.train())
            #expect(again.code == 0 && again.output.contains("test split"), "\(again)")
            #expect(try Outcome(run: project.file("run")) == whole)
        }

        @Test func `an adapter of other options is not evaluated as this run's`() throws {
            let project = try Self.shared.get().0.copy()
            #expect(try Program.run(project.train()).code == 0)
            let other = try project.copy()
            try FileManager.default.removeItem(atPath: other.file("run"))
            try other.replace("{rank: 4}", by: "{rank: 4, alpha: 32}", in: "run.yaml")
            #expect(try Program.run(other.train(["--stop-after", "4"])).code == 85)
            let result = try Program.run([
                "evaluate", project.file("run"), "--checkpoint", other.file("run/checkpoints/last"),
            ])
            #expect(result.code == 78, "\(result.error)")
            #expect(result.error.contains("unolora_config.json differs in alpha"), "\(result.error)")
        }
    }
}
