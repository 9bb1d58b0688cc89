import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// `reproduce`: a run is trained again and compared.
    @Suite struct ReproduceTests {
        /// A finished run, made by two ranks with an interruption.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            #expect(try Program.run(project.train(["--stop-after", "5"]), ranks: 2).code == 85)
            #expect(try Program.run(project.train()).code == 0)
            return project
        }

        @Test(arguments: [nil, 3])
        func `a run is reproduced on any number of ranks, and not changed`(ranks: Int?) throws {
            let project = try Self.shared.get().copy()
            let before = try digests(below: project.file("run"))
            let result = try Program.run(["reproduce", project.file("run")], ranks: ranks)
            #expect(result.code == 0, "\(result.error)")
            #expect(result.output.contains("step 12: the same bits of weights, moments and metrics\n"))
            #expect(!result.output.contains("start again"), "\(result.output)")
            #expect(try digests(below: project.file("run")) == before)
        }

        @Test func `a run whose sums are fast is trained and resumed, and not reproduced`() throws {
            let project = try TinyProject()
            let fast = ["--set", "parallel.reduction=fast"]
            let first = try Program.run(project.train(fast + ["--stop-after", "5"]), ranks: 2)
            #expect(
                first.code == 85 && first.output.contains("note: parallel.reduction fast: the bits depend"), "\(first)")
            #expect(try Program.run(project.train(fast), ranks: 3).code == 0)
            #expect(try Status(run: project.file("run")).step == 12)
            let refused = try Program.run(["reproduce", project.file("run")])
            #expect(
                refused.code == 78 && refused.error.contains("was trained with parallel.reduction fast"), "\(refused)")
        }

        @Test func `a part of a run is reproduced, and kept where that is asked for`() throws {
            let project = try Self.shared.get().copy()
            let arguments = ["reproduce", project.file("run"), "--steps", "7", "--out", project.file("again")]
            let result = try Program.run(arguments)
            #expect(result.code == 0 && result.output.contains("step 5: the same bits"), "\(result)")
            #expect(try Status(run: project.file("again")).step == 5)
            // A repetition gives the same result; a run that is not a replay is not changed.
            let again = try Program.run(arguments)
            #expect(again.code == 0 && again.output.contains("step 5: the same bits"), "\(again)")
            let refused = try Program.run(["reproduce", project.file("run"), "--out", project.file("run")])
            #expect(refused.code == 64, "\(refused.error)")
        }

        @Test func `a replay that is stopped goes on`() throws {
            // There are so many steps that the signal comes before the last one.
            let project = try TinyProject()
            let long = [
                "--set", "train.steps=1200", "--set", "log.every=1", "--set", "eval.every=null", "--set",
                "eval.atEnd=false", "--set", "checkpoint.every=null",
            ]
            #expect(try Program.run(project.train(long)).code == 0)
            let running = try RunningProgram(
                command: project.tellingPids() + ["reproduce", project.file("run")], ranks: nil)
            running.wait { FileManager.default.contents(atPath: project.file("run/replay/metrics.jsonl")) != nil }
            kill(try project.pid(rank: 0), SIGTERM)
            let stopped = try running.wait()
            #expect(stopped.code == 143, "\(stopped)")
            let result = try Program.run(["reproduce", project.file("run")], ranks: 2)
            #expect(result.code == 0, "\(result)")
            #expect(result.output.contains("step 1200: the same bits of weights, moments and metrics\n"))
            #expect(!FileManager.default.fileExists(atPath: project.file("run/replay")))
        }

        @Test func `lines may be of any steps`() throws {
            let project = try TinyProject()
            let every = ["--set", "eval.every=null", "--set", "eval.atEnd=false", "--set"]
            #expect(try Program.run(project.train(every + ["log.every=5", "--stop-after", "7"])).code == 85)
            #expect(try Program.run(project.train(every + ["log.every=1", "--stop-after", "10"])).code == 85)
            #expect(try Program.run(project.train(every + ["log.every=4"])).code == 0)
            let result = try Program.run(["reproduce", project.file("run")])
            #expect(result.code == 0, "\(result)")
            #expect(try Outcome(run: project.file("run")).metrics.count == 5)
        }

        @Test func `two replays of one run are not mixed`() throws {
            let project = try Self.shared.get().copy()
            let lock = open(project.file("run/.replay.lock"), O_RDWR | O_CREAT, 0o644)
            defer { close(lock) }
            #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
            let result = try Program.run(["reproduce", project.file("run")], ranks: 2)
            #expect(result.code == 74 && result.error.contains("is in use by another job"), "\(result.error)")
        }

        @Test func `a weight and a line that differ are named`() throws {
            let project = try Self.shared.get().copy()
            // With another seed the training takes another course; its checkpoints are put into this run's directory.
            let other = try Self.shared.get().copy()
            try FileManager.default.removeItem(atPath: other.file("run"))
            #expect(try Program.run(other.train(["--set", "train.seed=2"])).code == 0)
            try FileManager.default.removeItem(atPath: project.file("run/checkpoints"))
            try FileManager.default.copyItem(
                atPath: other.file("run/checkpoints"), toPath: project.file("run/checkpoints"))
            let honest = try Program.run(["reproduce", project.file("run")])
            #expect(honest.code == 78 && honest.error.contains("train.seed was 2 and is 1"), "\(honest.error)")
            try rewriteIdentity(of: project.file("run/checkpoints/step-00000012")) { identity in
                identity["configuration"] = (identity["configuration"] as? String)?.replacing(
                    "train.seed: 2", with: "train.seed: 1")
            }
            let weights = try Program.run(["reproduce", project.file("run")], ranks: 2)
            #expect(weights.code == 1, "\(weights)")
            #expect(weights.output.contains("step 12: other bits: weights: "), "\(weights.output)")

            let lines = try Self.shared.get().copy()
            try lines.replace("\"step\":8,", by: "\"step\":7,", in: "run/metrics.jsonl")
            let changed = try Program.run(["reproduce", lines.file("run")])
            #expect(changed.code == 1, "\(changed)")
            #expect(changed.output.contains("other bits: the line of step 7 in metrics.jsonl, and 1 more"))
        }

        @Test func `a directory without a run or a checkpoint is refused`() throws {
            let project = try Self.shared.get().copy()
            let none = try Program.run(["reproduce", project.path])
            #expect(none.code == 66 && none.error.contains("is no run directory"), "\(none.error)")
            let early = try Program.run(["reproduce", project.file("run"), "--steps", "1"], ranks: 2)
            #expect(
                early.code == 66 && early.error.contains("neither an intact checkpoint of at most 1 steps nor a line"),
                "\(early.error)")
            try FileManager.default.removeItem(atPath: project.file("run/checkpoints"))
            let untrained = try Program.run(["reproduce", project.file("run")])
            #expect(
                untrained.code == 66 && untrained.error.contains("no intact checkpoint to compare"),
                "\(untrained.error)")
        }

        @Test func `any number of steps is reproduced, by the lines where no checkpoint is kept`() throws {
            let project = try TinyProject()
            let sparse = ["--set", "checkpoint.every=null", "--set", "eval.every=null", "--set", "log.every=3"]
            #expect(try Program.run(project.train(sparse)).code == 0)
            for (steps, step, lines) in [(4, 3, "1 line"), (11, 9, "3 lines")] {
                let result = try Program.run(["reproduce", project.file("run"), "--steps", "\(steps)"], ranks: 2)
                let sentence =
                    "step \(step): the same losses and norms in \(lines) of metrics.jsonl; weights were not compared, since"
                #expect(result.code == 0 && result.output.contains(sentence), "\(result)")
            }
            let whole = try Program.run(["reproduce", project.file("run"), "--steps", "100"])
            #expect(whole.code == 0 && whole.output.contains("step 12: the same bits of weights"), "\(whole)")
            try project.replace("\"step\":6,", by: "\"step\":5,", in: "run/metrics.jsonl")
            let changed = try Program.run(["reproduce", project.file("run"), "--steps", "8"])
            #expect(
                changed.code == 1 && changed.output.contains("step 5: other bits: the line of step 5 in metrics.jsonl"),
                "\(changed)")
        }
    }
}
