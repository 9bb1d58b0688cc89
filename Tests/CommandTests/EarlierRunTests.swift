import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Run directories of earlier versions, in which `model.precision` had the meaning of `model.storage` and `model.products`.
    @Suite struct EarlierRunTests {
        /// The earlier key's values, and the settings into which each was split.
        static let meanings = [
            ("int8", ["model.products=int8"]), ("bfloat16", ["model.storage=bfloat16"]), ("float32", []),
        ]

        /// Trains up to step 9 and turns the run directory into one of the earlier version; `settings` are today's.
        private static func earlier(_ precision: String, _ settings: [String]) throws -> (TinyProject, whole: Outcome) {
            let project = try TinyProject()
            let set = settings.flatMap { ["--set", $0] }
            let whole = try project.copy()
            #expect(try Program.run(whole.train(set)).code == 0)
            #expect(try Program.run(project.train(set + ["--stop-after", "9"])).code == 85)
            for step in ["step-00000004", "step-00000008", "step-00000009"] {
                try rewriteIdentity(of: project.file("run/checkpoints/\(step)")) { identity in
                    let text = identity["configuration"] as? String ?? ""
                    identity["configuration"] = Self.rewritten(text, precision)
                }
            }
            let resolved = try String(contentsOfFile: project.file("run/config.yaml"), encoding: .utf8)
            try project.write("run/config.yaml", Self.rewritten(resolved, precision))
            return (project, try Outcome(run: whole.file("run")))
        }

        private static func rewritten(_ text: String, _ precision: String) -> String {
            let keys = #/model\.storage: \w+\nmodel\.products: \w+\n/#
            #expect(text.contains(keys))
            return text.replacing(keys, with: "model.precision: \(precision)\n")
        }

        @Test(arguments: meanings)
        func `go on to the same bits, and are evaluated, asked and reproduced`(
            precision: String, settings: [String]
        ) throws {
            let (project, whole) = try Self.earlier(precision, settings)
            let run = project.file("run")
            let evaluation = try Program.run(["evaluate", run, "--checkpoint", "8"])
            #expect(evaluation.code == 0 && !evaluation.error.contains("precision"), "\(evaluation.error)")
            let input = try project.write("lines.jsonl", "{\"sentence\": \"baran\"}\n")
            let prediction = try Program.run(["predict", run, "--task", "colour", "--input", input])
            #expect(prediction.code == 0, "\(prediction.error)")
            let replay = try Program.run(["reproduce", run])
            #expect(replay.code == 0 && replay.output.contains("the same bits"), "\(replay)")
            // Three ways to continue: the user's old configuration, the run's own file, and today's keys.
            let old = try Program.run(
                project.train(["--stop-after", "10", "--set", "model.precision=\(precision)"]))
            #expect(old.code == 85, "\(old.error)")
            let notice = "model.precision is the earlier name of model.storage and model.products; write"
            #expect(old.output.components(separatedBy: notice).count == 2, "\(old.output)")
            let own = try Program.run(["train", "--config", run + "/config.yaml", "--out", run, "--stop-after", "11"])
            #expect(own.code == 85 && !own.output.contains("precision is"), "\(own)")
            let end = try Program.run(project.train(settings.flatMap { ["--set", $0] }), ranks: 2)
            #expect(end.code == 0, "\(end.error)")
            #expect(try Outcome(run: run) == whole)
            let resolved = try String(contentsOfFile: run + "/config.yaml", encoding: .utf8)
            #expect(!resolved.contains("precision"))
        }

        @Test func `are not gone on with in another storage or with other products, which is named by today's keys`()
            throws
        {
            let (project, _) = try Self.earlier("int8", ["model.products=int8"])
            let before = try digests(below: project.file("run/checkpoints"))
            let result = try Program.run(project.train(["--set", "model.products=int8Forward"]))
            #expect(result.code == 78 && result.sentences.count == 1, "\(result.error)")
            #expect(
                result.error.contains("the configuration differs (model.products was int8 and is int8Forward)"),
                "\(result.error)")
            #expect(try digests(below: project.file("run/checkpoints")) == before)
        }

        @Test func `that have no checkpoint yet may be started with their own configuration`() throws {
            let (project, _) = try Self.earlier("float32", [])
            let own = project.file("own")
            try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
            for name in ["config.yaml", "STATUS.json"] {
                try FileManager.default.copyItem(atPath: project.file("run/" + name), toPath: own + "/" + name)
            }
            let arguments = ["train", "--config", own + "/config.yaml", "--out", own, "--stop-after", "1"]
            let result = try Program.run(arguments)
            #expect(result.code == 85, "\(result.error)")
        }
    }
}
