import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// `evaluate` and `predict` on a run, and the evaluations in `train` itself.
    @Suite struct EvaluationCommandTests {
        /// The tiny project with MNLI in addition to its own tasks, trained.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let header = "index\tsentence1\tsentence2\tgold_label\n"
            let labels = ["entailment", "neutral", "contradiction"]
            func rows(_ range: Range<Int>) -> String {
                header + range.map { "\($0)\tba \($0)\tce \($0)\t\(labels[$0 % 3])\n" }.joined()
            }
            try project.write("glue/MNLI/train.tsv", rows(0..<60))
            try project.write("glue/MNLI/dev_matched.tsv", rows(100..<121))
            try project.write("glue/MNLI/dev_mismatched.tsv", rows(200..<224))
            try project.replace("tasks:\n", by: "data: {glue: glue}\ntasks:\n  - mnli\n", in: "run.yaml")
            try project.replace("{every: 8, maxExamples: 8}", by: "{every: 3, split: test}", in: "run.yaml")
            try project.replace("keep: 5}", by: "keep: 9, best: taskMean}", in: "run.yaml")
            let run = project.file("run")
            let result = try Program.run(["train", "--config", project.configuration, "--out", run], ranks: 2)
            #expect(result.code == 0, "\(result.error)")
            return (project, run, result.output)
        }

        private struct Evaluation: Decodable {
            struct Task: Decodable, Equatable {
                var figures: [String: Double]
                var examples: Int
            }

            var step: Int
            var split: String
            var average: Double
            var averagedFigures: Int
            var averageOverTasks: Double
            var tasks: [String: Task]
        }

        private static func evaluation(_ text: some StringProtocol) throws -> Evaluation {
            let start = try #require(text.firstIndex(of: "{"))
            return try JSONDecoder().decode(Evaluation.self, from: Data(text[start...].utf8))
        }

        @Test func `the chosen split is evaluated and the chosen mean picks the best checkpoint`() throws {
            let (_, run, _) = try Self.shared.get()
            let lines = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
            let evaluations = try lines.filter { $0.contains("\"kind\":\"evaluation\"") }.map(Self.evaluation)
            #expect(evaluations.map(\.step) == [3, 6, 9, 12])
            #expect(evaluations.allSatisfy { $0.split == "test" })
            // The tasks that have a test split; for MNLI the split itself, without its other half.
            #expect(evaluations.allSatisfy { $0.tasks["mnli"]?.examples == 21 && $0.tasks.count == 2 })
            let greatest = try #require(evaluations.map(\.averageOverTasks).max())
            let best = try #require(evaluations.first { $0.averageOverTasks == greatest })
            let link = try FileManager.default.destinationOfSymbolicLink(atPath: run + "/checkpoints/best")
            #expect(link.hasSuffix(String(format: "%08d", best.step)))
        }

        @Test func `the figures are those of the end of training, on any number of ranks`() throws {
            let (_, run, _) = try Self.shared.get()
            let written = try Self.evaluation(String(contentsOfFile: run + "/evaluation-test.json", encoding: .utf8))
            for ranks in [nil, 2, 3] {
                let result = try Program.run(["evaluate", run, "--split", "test"], ranks: ranks)
                #expect(result.code == 0, "\(result.error)")
                let evaluation = try Self.evaluation(result.output)
                #expect(evaluation.tasks == written.tasks)
                #expect(evaluation.average == written.average)
                #expect(evaluation.step == written.step)
            }
        }

        @Test func `MNLI's other half stands beside the average`() throws {
            let (_, run, _) = try Self.shared.get()
            let result = try Program.run(["evaluate", run, "--split", "test"])
            let evaluation = try Self.evaluation(result.output)
            #expect(evaluation.tasks["mnli_mismatched"]?.examples == 24)
            #expect(evaluation.tasks["mnli"]?.examples == 21)
            #expect(result.output.contains(#/mnli_mismatched +24  accuracy \(beside\)/#))
            let counted = evaluation.tasks.filter { $0.key != "mnli_mismatched" }.values.flatMap(\.figures.values)
            #expect(evaluation.averagedFigures == counted.count)
            #expect(abs(evaluation.average - counted.reduce(0, +) / Double(counted.count)) < 1e-12)
            let validation = try Self.evaluation(try Program.run(["evaluate", run]).output)
            #expect(validation.split == "validation")
            #expect(validation.tasks["mnli"] == evaluation.tasks["mnli_mismatched"])
            #expect(validation.tasks["mnli_matched"] == evaluation.tasks["mnli"])
        }

        @Test func `tasks without the split are named`() throws {
            let (_, run, training) = try Self.shared.get()
            let omission = "not evaluated, since without a test split: pair, grade"
            let lines = training.split(separator: "\n")
            // Printed at the start for eval.split, and at the end below the table of the test split.
            #expect(lines.contains("warning: \(omission)"), "\(training)")
            #expect(lines.contains { $0 == omission }, "\(training)")
            let all = try Program.run(["evaluate", run, "--split", "test"]).output
            #expect(all.split(separator: "\n").contains { $0 == omission }, "\(all)")
            let some = try Program.run(["evaluate", run, "--split", "test", "--tasks", "mnli,grade"]).output
            #expect(some.contains("\nnot evaluated, since without a test split: grade\n"), "\(some)")
            let none = try Program.run(["evaluate", run, "--tasks", "mnli,grade"]).output
            #expect(!none.contains("not evaluated"), "\(none)")
        }

        @Test func `the rows of GLUE's split, their number and what they chose are said`() throws {
            let (_, run, training) = try Self.shared.get()
            let lines = training.split(separator: "\n")
            let choice =
                "eval.split test chooses the best checkpoint on the test split, so its test figures are too good to report"
            #expect(lines.contains { $0.hasPrefix("warning: \(choice)") }, "\(training)")
            let rows = "GLUE's test examples by data.glueSplits paper: all rows of dev_matched.tsv (mnli)"
            let chosen = "the best checkpoint was chosen by figures of this split"
            let counts =
                "note: mnli: train.tsv has 60 rows instead of 392702, dev_mismatched.tsv has 24 rows instead of 9832, "
                + "dev_matched.tsv has 21 rows instead of 9815, as GLUE publishes it"
            #expect(lines.contains { $0 == rows } && lines.contains { $0.hasPrefix(chosen) }, "\(training)")
            #expect(lines.contains { $0.hasPrefix(counts) }, "\(training)")
            let data = try String(contentsOfFile: run + "/data.json", encoding: .utf8)
            #expect(data.contains(#/"publishedRows"\s*:\s*9832/#), "\(data)")
            let best = try Program.run(["evaluate", run, "--split", "test"])
            #expect(best.output.contains("\n\(rows)\n\(chosen)"), "\(best.output)")
            #expect(best.error.contains(counts), "\(best.error)")
            let last = try Program.run(["evaluate", run, "--split", "test", "--checkpoint", "last"]).output
            #expect(last.contains("\n\(rows)\n") && !last.contains(chosen), "\(last)")
            let own = try Program.run(["evaluate", run, "--tasks", "grade"])
            #expect(!own.output.contains("GLUE's") && !own.error.contains("instead of"), "\(own)")
        }

        @Test func `with whole dev sets MNLI validates on the matched one, and there is no test split`() throws {
            let (project, _, _) = try Self.shared.get()
            let run = project.file("dev")
            let set = ["--set", "data.glueSplits=dev", "--set", "eval.split=validation", "--set", "tasks=[mnli]"]
            let training = try Program.run(["train", "--config", project.configuration, "--out", run] + set)
            #expect(training.code == 0, "\(training.error)")
            let rows = "GLUE's validation examples by data.glueSplits dev: all rows of dev_matched.tsv (mnli)"
            #expect(training.output.contains("\n\(rows)\n"), "\(training.output)")
            let evaluation = try Self.evaluation(
                String(contentsOfFile: run + "/evaluation-validation.json", encoding: .utf8))
            #expect(evaluation.tasks.mapValues(\.examples) == ["mnli": 21, "mnli_mismatched": 24])
            #expect(try Program.run(["evaluate", run, "--split", "test"]).code == 64)
            // The same checkpoint under the other rule would be tested on rows that chose it.
            let changed = run + "/config.yaml"
            let text = try String(contentsOfFile: changed, encoding: .utf8)
            try text.replacing("glueSplits: dev", with: "glueSplits: paper")
                .write(toFile: changed, atomically: true, encoding: .utf8)
            let refused = try Program.run(["evaluate", run])
            #expect(
                refused.code == 78 && refused.error.contains("data.glueSplits was dev and is paper"), "\(refused.error)"
            )
        }

        @Test func `tasks and a checkpoint can be chosen`() throws {
            let (_, run, _) = try Self.shared.get()
            let result = try Program.run(["evaluate", run, "--tasks", "colour, grade", "--checkpoint", "4"])
            #expect(result.code == 0, "\(result.error)")
            let evaluation = try Self.evaluation(result.output)
            #expect(evaluation.step == 4)
            #expect(Set(evaluation.tasks.keys) == ["colour", "grade"])
        }

        @Test func `the figures can be had as JSON alone, and are kept in the run directory`() throws {
            let (_, run, _) = try Self.shared.get()
            let result = try Program.run(["evaluate", run, "--checkpoint", "8", "--split", "test", "--json"])
            #expect(result.code == 0, "\(result.error)")
            let whole = try JSONDecoder().decode(Evaluation.self, from: Data(result.output.utf8))
            #expect(whole.step == 8 && whole.tasks.count == 3)
            let kept = run + "/evaluation-test-8.json"
            #expect(try String(contentsOfFile: kept, encoding: .utf8) + "\n" == result.output)
            // Figures of only some tasks do not replace those of all tasks.
            let some = try Program.run(["evaluate", run, "--checkpoint", "8", "--split", "test", "--tasks", "mnli"])
            #expect(some.code == 0, "\(some.error)")
            #expect(try Self.evaluation(String(contentsOfFile: kept, encoding: .utf8)).tasks.count == 3)
        }

        @Test(arguments: [
            (["--tasks", "color"], Int32(64), "color"),
            (["--checkpoint", "5"], 66, "5"),
        ])
        func `what the run does not have is refused by name`(arguments: [String], code: Int32, word: String) throws {
            let (_, run, _) = try Self.shared.get()
            let result = try Program.run(["evaluate", run] + arguments)
            #expect(result.code == code, "\(result.error)")
            #expect(result.sentences.count == 1)
            #expect(result.error.contains(word))
        }

        @Test func `a directory that is no run is refused`() throws {
            let directory = try TemporaryDirectory()
            for arguments in [["evaluate", directory.path], ["predict", directory.path, "--task", "colour"]] {
                let result = try Program.run(arguments)
                #expect(result.code == 66, "\(result.error)")
                #expect(result.error.contains(directory.path))
            }
        }

        private struct Answer: Decodable {
            var line: Int
            var answer: String
            var label: String?
            var score: Double?
        }

        private static func answers(_ output: String) throws -> [Answer] {
            try output.split(separator: "\n").map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
        }

        @Test func `predictions for the test split give the accuracy that evaluate says`() throws {
            let (project, run, _) = try Self.shared.get()
            let rows = try String(contentsOfFile: project.file("colour/test.tsv"), encoding: .utf8)
                .split(separator: "\n").dropFirst().map { $0.split(separator: "\t") }
            // Half of the lines are text, the other half JSON.
            let lines = rows.enumerated().map { $0 % 2 == 0 ? "\($1[0])\n" : "{\"sentence\": \"\($1[0])\"}\n" }
            let input = try project.write("input.txt", lines.joined())
            let result = try Program.run(["predict", run, "--task", "colour", "--input", input])
            #expect(result.code == 0, "\(result.error)")
            let answers = try Self.answers(result.output)
            #expect(answers.map(\.line) == Array(1...rows.count))
            let right = zip(answers, rows).count { $0.label == String($1[1]) }
            let evaluation = try Self.evaluation(
                try Program.run(["evaluate", run, "--split", "test", "--tasks", "colour"]).output)
            #expect(evaluation.tasks["colour"]?.figures["accuracy"] == Double(right) / Double(rows.count))
        }

        @Test func `predict does not need the data`() throws {
            let (project, run, _) = try Self.shared.get()
            let moved = try project.copy()
            let copy = moved.file("run")
            for name in ["glue", "colour", "pair", "grade", "run/cache"] {
                try FileManager.default.removeItem(atPath: moved.file(name))
            }
            let resolved = try String(contentsOfFile: run + "/config.yaml", encoding: .utf8)
            try moved.write("run/config.yaml", resolved.replacing(project.path, with: moved.path))
            let input = try moved.write("input.txt", "baran cesel ditim fovok\n")
            let there = try Program.run(["predict", run, "--task", "colour", "--input", input])
            let here = try Program.run(["predict", copy, "--task", "colour", "--input", input])
            #expect(here.code == 0, "\(here.error)")
            #expect(here.output == there.output)
        }

        @Test(arguments: [nil, 2])
        func `an answer whose logits are not finite ends an evaluation with 86`(ranks: Int?) throws {
            let project = try TinyProject()
            // One step is so large that its weights overflow in the next forward, which belongs to the evaluation.
            let result = try Program.run(
                project.train(
                    ["lr.peak=1e30", "lr.warmup=0", "train.steps=1", "eval.ranks=all"].flatMap { ["--set", $0] }),
                ranks: ranks)
            #expect(result.code == 86, "\(result.error)")
            #expect(result.error.contains("a logit of the answer is not finite"), "\(result.error)")
            #expect(result.error.contains(#/(colour|pair|grade) example \d+:/#))
            #expect(try Status(run: project.file("run")).state == "failed")
        }

        @Test func `lines come from standard input, and a task of grades gives scores`() throws {
            let (project, run, _) = try Self.shared.get()
            try project.write("grades.txt", "baran cesel\r\nditim fovok\n")
            let result = try Program.run(
                command: ["bash", "-c", "\"$1\" predict \"$2\" --task grade < \"$3\"", "bash", Program.path, run]
                    + [project.file("grades.txt")])
            #expect(result.code == 0, "\(result.error)")
            let answers = try Self.answers(result.output)
            #expect(answers.count == 2)
            #expect(answers.allSatisfy { $0.label == nil })
            #expect(answers.allSatisfy { $0.score == Double($0.answer) })
        }

        @Test func `a line that is there is answered while the input goes on`() throws {
            let (project, run, _) = try Self.shared.get()
            let (pipe, output) = (project.file("pipe"), try project.write("streamed.jsonl", ""))
            #expect(mkfifo(pipe, 0o600) == 0)
            // The pipe is also opened for reading, so that opening it does not wait.
            let writer = FileHandle(fileDescriptor: open(pipe, O_RDWR | O_CLOEXEC), closeOnDealloc: true)
            let running = try RunningProgram(
                command: [Program.path, "predict", run, "--task", "colour", "--input", pipe],
                output: FileHandle(forWritingAtPath: output))
            func answers() throws -> [Answer] { try Self.answers(String(contentsOfFile: output, encoding: .utf8)) }
            for count in 1...2 {
                try writer.write(contentsOf: Data("baran cesel ditim\nfov".utf8))
                running.wait { (try? answers().count) == count }
            }
            try writer.close()
            let result = try running.wait()
            #expect(result.code == 0, "\(result.error)")
            #expect(try answers().map(\.line) == [1, 2, 3])
        }

        @Test func `a byte order mark is no text, and a minus means standard input`() throws {
            let (project, run, _) = try Self.shared.get()
            func predict(_ text: String) throws -> Program.Result {
                let input = try project.write("lines.txt", text)
                return try Program.run(
                    command: ["sh", "-c", "\"$1\" predict \"$2\" --task colour --input - < \"$3\"", "sh", Program.path]
                        + [run, input])
            }
            let plain = try predict("baran cesel")
            #expect(plain.code == 0 && plain.output.split(separator: "\n").count == 1, "\(plain)")
            #expect(try predict("\u{FEFF}baran cesel\r\n").output == plain.output)
        }
    }
}
