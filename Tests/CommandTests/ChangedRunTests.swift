import Foundation
import TestSupport
import Testing
import Text

extension ProgramTests {
    /// Runs whose files or settings have changed since they were trained.
    @Suite struct ChangedRunTests {
        /// A finished run, evaluated once.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            #expect(try Program.run(project.train()).code == 0)
            #expect(try Program.run(["evaluate", project.file("run"), "--checkpoint", "12"]).code == 0)
            return project
        }

        /// A copy that also has the run's files and model.
        private static func copy() throws -> TinyProject {
            try shared.get().copy()
        }

        private struct Evaluation: Decodable {
            var basis: String
            var changed: [String]?
        }

        private static func evaluation(_ path: String) throws -> Evaluation {
            try JSONDecoder().decode(Evaluation.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        }

        @Test(arguments: [nil, 2]) func `an evaluation of other rows must be asked for`(ranks: Int?) throws {
            let project = try Self.copy()
            let before = try digests(below: project.file("run"))
            // A row that was used for training is held out now.
            let rows = try String(contentsOfFile: project.file("colour/train.tsv"), encoding: .utf8)
            let first = rows.split(separator: "\n")[1]
            let held = try String(contentsOfFile: project.file("colour/validation.tsv"), encoding: .utf8)
            try project.write("colour/train.tsv", rows.replacing("\(first)\n", with: ""))
            try project.write("colour/validation.tsv", held + "\(first)\n")
            let evaluate = ["evaluate", project.file("run"), "--checkpoint", "12"]
            let refused = try Program.run(evaluate, ranks: ranks)
            #expect(refused.code == 78 && refused.sentences.count == 1, "\(refused.error)")
            let changes = [
                "task colour: its train file train.tsv has other content",
                "task colour: its validation file validation.tsv has other content",
            ]
            #expect(refused.error.contains(changes.joined(separator: ", ") + "; put it back"), "\(refused.error)")
            #expect(try digests(below: project.file("run")) == before)

            let allowed = try Program.run(evaluate + ["--allow-changes"], ranks: ranks)
            #expect(allowed.code == 0, "\(allowed.error)")
            for change in changes { #expect(allowed.error.contains("step-00000012: \(change)\n"), "\(allowed.error)") }
            let plain = project.file("run/evaluation-validation-12.json")
            let old = try Self.evaluation(plain)
            #expect(old.changed == nil)
            #expect(
                try digests(below: project.file("run"))["evaluation-validation-12.json"]
                    == before["evaluation-validation-12.json"])
            let files = try FileManager.default.contentsOfDirectory(atPath: project.file("run")).filter {
                $0.hasPrefix("evaluation-validation-12-")
            }
            let new = try Self.evaluation(project.file("run/" + (try #require(files.first))))
            #expect(files == ["evaluation-validation-12-changed-\(new.basis.prefix(8)).json"])
            #expect(new.changed == changes && new.basis != old.basis)
        }

        @Test func `the same run gives the same basis, and another adapter does not overwrite its figures`() throws {
            let project = try Self.copy()
            let run = project.file("run")
            let plain = run + "/evaluation-validation-12.json"
            let before = try Self.evaluation(plain)
            #expect(try Program.run(["evaluate", run, "--checkpoint", "12"]).code == 0)
            #expect(try Self.evaluation(plain).basis == before.basis)
            // The table at the end of the run is about the best checkpoint.
            let best = try Program.run(["evaluate", run, "--split", "test", "--json"])
            let basis = try JSONDecoder().decode(Evaluation.self, from: Data(best.output.utf8)).basis
            #expect(try Self.evaluation(run + "/evaluation-test.json").basis == basis)
            // An earlier version wrote the file in this way.
            try project.write("run/evaluation-validation-12.json", "{\"step\": 12}")
            let again = try Program.run(["evaluate", run, "--checkpoint", "12"])
            #expect(again.code == 0, "\(again.error)")
            let beside = run + "/evaluation-validation-12-\(before.basis.prefix(8)).json"
            #expect(again.error.contains("the figures are in \(beside)\n"), "\(again.error)")
            #expect(try String(contentsOfFile: plain, encoding: .utf8) == "{\"step\": 12}")
            #expect(try Self.evaluation(beside).basis == before.basis)
        }

        @Test(arguments: [
            ("maxSource: 128", "maxSource: 6", "data.maxSource was 128 and is 6", "colour", true),
            ("splitSeed: 1", "splitSeed: 2", "data.splitSeed was 1 and is 2", "colour", false),
            // This key affects only training.
            ("\n  dropout: 0.1", "\n  dropout: 0.3", "", "colour", false),
            (
                "fields: [sentence]", "fields: [sentence], template: \"say {sentence}\"",
                "task colour: template was absent and is say {sentence}", "colour", true
            ),
            (
                "fields: [sentence]", "fields: [sentence], template: \"say {sentence}\"",
                "task colour: template was absent and is say {sentence}", "grade", false
            ),
        ])
        func `settings that were edited after the training are refused where they count`(
            old: String, new: String, says: String, task: String, inPredict: Bool
        ) throws {
            let project = try Self.copy()
            let text = try String(contentsOfFile: project.file("run/config.yaml"), encoding: .utf8)
            let edited = text.replacing(old, with: new)
            #expect(edited != text)
            try project.write("run/config.yaml", edited)
            let evaluated = try Program.run(["evaluate", project.file("run")])
            #expect(evaluated.code == (says.isEmpty ? 0 : 78), "\(evaluated.error)")
            #expect(says.isEmpty || evaluated.error.contains(says), "\(evaluated.error)")
            let input = try project.write("input.txt", "baran cesel ditim fovok\n")
            let predict = ["predict", project.file("run"), "--task", task, "--input", input]
            let predicted = try Program.run(predict)
            #expect(predicted.code == (inPredict ? 78 : 0), "\(predicted.error)")
            guard inPredict else { return }
            #expect(predicted.error.contains(says) && predicted.error.contains("--allow-changes"), "\(predicted.error)")
            let allowed = try Program.run(predict + ["--allow-changes"])
            #expect(allowed.code == 0 && allowed.error.contains(": \(says)\n"), "\(allowed.error)")
            #expect(allowed.output.hasPrefix("{\"answer\":"), "\(allowed.output)")
        }

        /// Replaces the run's vocabulary by one that was trained on other texts.
        private static func exchangeVocabulary(_ project: TinyProject) throws {
            let texts = ["colour/train.tsv", "pair/train.jsonl", "grade/train.tsv"].map {
                (try? String(contentsOfFile: project.file($0), encoding: .utf8)) ?? ""
            }
            let sentences = texts.joined().split(separator: "\n").map {
                $0.split(separator: " ").reversed().joined(separator: " ")
            }
            try VocabularyTrainer.train(
                sentences: ["red blue same other true false"] + sentences, pieces: 140,
                to: project.file("model/spiece.model"))
        }

        @Test func `another vocabulary is refused by every command on a run, by its name`() throws {
            let project = try Self.copy()
            let run = project.file("run")
            try Self.exchangeVocabulary(project)
            let before = try digests(below: run)
            let last = run + "/checkpoints/last"
            for command in [
                ["evaluate", run], ["evaluate", run, "--allow-changes"], ["predict", run, "--task", "colour"],
                project.train(),
                ["train", "--config", project.configuration, "--out", project.file("o"), "--resume", last],
                ["reproduce", run, "--out", project.file("again")],
                [
                    "verify", "--products", "int8", "--config", project.configuration, "--out", run, "--checkpoint",
                    "last",
                ],
            ] {
                let result = try Program.run(command)
                #expect(result.code == 78, "\(command): \(result)")
                #expect(result.error.contains("spiece.model"), "\(command): \(result.error)")
                #expect(result.sentences.count == 1)
            }
            let after = try digests(below: run)
            #expect(
                after.filter { !$0.key.hasPrefix("cache/") && !$0.key.hasPrefix("logs/") }
                    == before.filter { !$0.key.hasPrefix("cache/") && !$0.key.hasPrefix("logs/") })
        }

        @Test func `a checkpoint that does not name its vocabulary is judged by its data`() throws {
            let project = try Self.copy()
            let run = project.file("run")
            for step in ["step-00000008", "step-00000012"] {
                try rewriteIdentity(of: "\(run)/checkpoints/\(step)") { identity in
                    #expect(identity["vocabulary"] is String && identity["sources"] is [Any])
                    identity["vocabulary"] = nil
                    identity["sources"] = nil
                }
            }
            #expect(try Program.run(["evaluate", run]).code == 0)
            #expect(try Program.run(project.train()).code == 0)
            let held = try String(contentsOfFile: project.file("colour/validation.tsv"), encoding: .utf8)
            try project.write("colour/validation.tsv", held + "baran\tr\n")
            let result = try Program.run(["evaluate", run, "--checkpoint", "8"])
            #expect(result.code == 78, "\(result.error)")
            #expect(
                result.error.contains("the tokenised data (task files, vocabulary or data settings)"), "\(result.error)"
            )
        }

        @Test func `a run whose files have changed is not trained once more or further`() throws {
            let project = try Self.copy()
            let held = try String(contentsOfFile: project.file("grade/train.tsv"), encoding: .utf8)
            try project.write("grade/train.tsv", held + "baran cesel\t2.5\n")
            let says = "the tokenised data differs (task grade: its train file train.tsv has other content)"
            let replay = try Program.run(["reproduce", project.file("run")], ranks: 2)
            #expect(replay.code == 78 && replay.error.contains("cannot be reproduced: \(says)"), "\(replay.error)")
            #expect(!FileManager.default.fileExists(atPath: project.file("run/replay")))
            let further = try Program.run(project.train())
            #expect(further.code == 78 && further.error.contains("cannot be resumed: \(says)"), "\(further.error)")
        }
    }
}
