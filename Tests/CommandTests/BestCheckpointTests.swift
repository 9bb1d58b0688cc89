import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// The best checkpoint of runs whose evaluation changes from some step on.
    @Suite struct BestCheckpointTests {
        /// A run that leaves after step 9, one step after its evaluation of 8 examples per task.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            #expect(try Program.run(project.train(["--stop-after", "9"])).code == 85)
            return project
        }

        private static func best(_ project: TinyProject) -> String? {
            try? FileManager.default.destinationOfSymbolicLink(atPath: project.file("run/checkpoints/best"))
        }

        /// The step and the reason in the sentence about a best checkpoint that is discarded; nil when there is none.
        private static func forgotten(_ output: String) -> (step: String, reason: String)? {
            let sentence =
                #/note: the best checkpoint so far, step (\d+) with -?\d+\.\d\d, cannot be compared with what is evaluated now \((.*)\); /#
            return output.firstMatch(of: sentence).map { (String($0.1), String($0.2)) }
        }

        @Test(arguments: [
            ("eval.maxExamples=null", "eval.maxExamples was 8 and is null"),
            ("eval.split=test", "eval.split was validation and is test"),
            ("checkpoint.best=taskMean", "checkpoint.best was average and is taskMean"),
            ("eval.maxNewTokens=9", "eval.maxNewTokens was null and is 9"),
        ])
        func `a best that does not compare is forgotten with a sentence`(change: String, says: String) throws {
            let project = try Self.shared.get().copy()
            #expect(Self.best(project) == "step-00000008")
            let result = try Program.run(project.train(["--set", change, "--stop-after", "10"]))
            #expect(result.code == 85, "\(result.error)")
            let match = try #require(Self.forgotten(result.output), "\(result.output)")
            #expect(match == ("8", says))
            #expect(Self.best(project) == nil)
            let log = try String(contentsOfFile: project.file("run/logs/rank-00000.log"), encoding: .utf8)
            #expect(log.contains(says), "\(log)")
            // It is reported only once: the new checkpoint does not contain the old best one any more.
            let end = try Program.run(project.train(["--set", change]))
            #expect(end.code == 0 && Self.forgotten(end.output) == nil, "\(end)")
            #expect(Self.best(project) == "step-00000012")
            #expect(end.output.contains("split, best checkpoint (step 12)"), "\(end.output)")
        }

        @Test(arguments: ["eval.batch=3", "eval.ranks=all", "eval.every=5", "log.every=2", "checkpoint.keep=4"])
        func `what changes no figure keeps the best`(change: String) throws {
            let project = try Self.shared.get().copy()
            let result = try Program.run(project.train(["--set", change, "--stop-after", "10"]))
            #expect(result.code == 85 && Self.forgotten(result.output) == nil, "\(result)")
        }

        @Test func `the last step is evaluated anew where nothing else is left to choose from`() throws {
            let project = try Self.shared.get().copy()
            #expect(try Program.run(project.train()).code == 0)
            let result = try Program.run(project.train(["--set", "eval.maxExamples=null"]))
            #expect(result.code == 0 && Self.forgotten(result.output) != nil, "\(result)")
            #expect(result.output.contains("step 12: validation average"), "\(result.output)")
            #expect(Self.best(project) == "step-00000012")
            // Both lines exist and can be distinguished.
            let lines = try Outcome(run: project.file("run")).metrics.filter {
                $0.contains("\"kind\":\"evaluation\"") && $0.contains("\"step\":12")
            }
            #expect(lines.map { $0.contains("\"maxExamples\":8") } == [true, false], "\(lines)")
        }

        /// Checkpoints of earlier versions contain only split and mean; the previous job's configuration in the run directory
        /// gives the rest.
        @Test(
            arguments: [([], nil), (["--set", "eval.maxExamples=null"], "eval.maxExamples was 8 and is null")]
                as [([String], String?)])
        func `a best of an earlier version is judged by the configuration of the job before`(
            arguments: [String], says: String?
        ) throws {
            let project = try Self.shared.get().copy()
            try rewriteState(of: project.file("run/checkpoints/step-00000009")) { state in
                var best = state["best"] as? [String: Any] ?? [:]
                best["measure"] = "validation average"
                state["best"] = best
            }
            let result = try Program.run(project.train(arguments + ["--stop-after", "10"]))
            #expect(result.code == 85, "\(result)")
            let match = Self.forgotten(result.output)
            #expect(match?.reason == says, "\(result.output)")
            #expect(Self.best(project) == (says == nil ? "step-00000008" : nil))
        }

        /// Only the previous job's configuration says how the best one was chosen, and the first start replaces it.
        @Test func `a best of an earlier version stays forgotten when the start that forgot it brought nothing`() throws
        {
            let project = try Self.shared.get().copy()
            try rewriteState(of: project.file("run/checkpoints/step-00000009")) { state in
                var best = state["best"] as? [String: Any] ?? [:]
                best["measure"] = "validation average"
                state["best"] = best
            }
            let changed = ["--set", "eval.maxExamples=null"]
            // This start leaves without any step.
            let first = try Program.run(project.train(changed + ["--stop-after", "9"]))
            #expect(first.code == 85 && Self.forgotten(first.output) != nil, "\(first)")
            let second = try Program.run(project.train(changed + ["--stop-after", "10"]))
            #expect(second.code == 85, "\(second)")
            #expect(Self.best(project) == nil, "\(second.output)")
        }

        @Test func `a best that is damaged or elsewhere is not forgotten in silence`() throws {
            let project = try Self.shared.get().copy()
            let source = project.file("run/checkpoints/step-00000009")
            let other = try Program.run([
                "train", "--config", project.configuration, "--out", project.file("other"), "--resume", source,
                "--stop-after", "10",
            ])
            #expect(other.output.contains("the best checkpoint so far, step 8 with "), "\(other.output)")
            #expect(other.output.contains("belongs to the other run directory"), "\(other.output)")
            try FileManager.default.removeItem(
                atPath: project.file("run/checkpoints/step-00000008/optimizer.safetensors"))
            let result = try Program.run(project.train(["--stop-after", "10"]))
            #expect(result.output.contains("is not here any more, or is damaged"), "\(result.output)")
        }
    }
}
