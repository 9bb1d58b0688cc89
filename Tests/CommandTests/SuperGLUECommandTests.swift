import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Training and evaluation of SuperGLUE's own files.
    @Suite struct SuperGLUECommandTests {
        private static let words = ["baran", "cesel", "ditim", "fovok", "guwun", "hazar", "likel"]

        private static func text(_ row: Int) -> String {
            (0..<3).map { words[(row * (2 * $0 + 1) + $0) % 7] }.joined(separator: " ") + " \(row)"
        }

        /// Lines in the published form.
        private static func cb(_ row: Int) -> String {
            let label = ["entailment", "contradiction", "neutral"][row % 3]
            return
                "{\"premise\": \"\(text(row))\", \"hypothesis\": \"\(text(row + 1))\", \"label\": \"\(label)\", \"idx\": \(row)}\n"
        }

        private static func copa(_ row: Int) -> String {
            "{\"premise\": \"\(text(row))\", \"choice1\": \"\(words[row % 7])\", \"choice2\": \"\(words[row % 5])\", "
                + "\"question\": \"\(["effect", "cause"][row % 2])\", \"label\": \(row / 2 % 2), \"idx\": \(row)}\n"
        }

        /// A passage with two questions, of two and three answers.
        private static func multirc(_ row: Int) -> String {
            let questions = (0..<2).map { question in
                let answers = (0..<(2 + question)).map {
                    "{\"text\": \"\(words[(row + $0) % 7])\", \"idx\": \($0), \"label\": \((row + $0) % 2)}"
                }
                return
                    "{\"question\": \"\(text(row + question))\", \"answers\": [\(answers.joined(separator: ", "))], \"idx\": 0}"
            }
            return
                "{\"idx\": \(row), \"version\": 1.1, \"passage\": {\"text\": \"\(text(row))\", \"questions\": [\(questions.joined(separator: ", "))]}}\n"
        }

        private static let trained = Swift.Result {
            let project = try TinyProject()
            for (folder, line) in [("CB", cb), ("COPA", copa), ("MultiRC", multirc)] as [(String, (Int) -> String)] {
                try project.write("superglue/\(folder)/train.jsonl", (0..<24).map(line).joined())
                try project.write("superglue/\(folder)/val.jsonl", (100..<113).map(line).joined())
            }
            let yaml = try String(contentsOfFile: project.configuration, encoding: .utf8)
            let start = try #require(yaml.range(of: "tasks:\n"))
            let end = try #require(yaml.range(of: "lora: {rank: 4}"))
            try project.write(
                "run.yaml",
                yaml.replacing(
                    yaml[start.lowerBound..<end.lowerBound],
                    with: "tasks: [cb, copa, multirc]\ndata: {superglue: superglue}\n"))
            // So many steps that it answers with labels, and that not all figures are 0.
            let result = try Program.run(project.train(["--set", "train.steps=40", "--set", "eval.every=null"]))
            #expect(result.code == 0, "\(result.error)")
            return (project, result)
        }

        private typealias Evaluation = EvaluateOtherDataTests.Evaluation

        private struct Averages: Decodable {
            var average: Double
            var averagedFigures: Int
            var averageOverTasks: Double
        }

        @Test func `the average over tasks is SuperGLUE's: a task counts by the mean of its figures`() throws {
            let (project, _) = try Self.trained.get()
            let result = try Program.run(["evaluate", project.file("run"), "--split", "test", "--json"])
            #expect(result.code == 0, "\(result.error)")
            let data = Data(result.output.utf8)
            let (evaluation, averages) = (
                try JSONDecoder().decode(Evaluation.self, from: data),
                try JSONDecoder().decode(Averages.self, from: data)
            )
            func figure(_ task: String, _ name: String) throws -> Double {
                try #require(evaluation.tasks[task]?.figures[name])
            }
            let cb = [try figure("cb", "accuracy"), try figure("cb", "macro_f1")]
            let multirc = [try figure("multirc", "f1"), try figure("multirc", "group_exact_match")]
            let copa = try figure("copa", "accuracy")
            #expect(averages.averagedFigures == 5 && Set(cb + multirc + [copa]).count >= 3)
            #expect(abs(averages.average - (cb + multirc + [copa]).reduce(0, +) / 5) < 1e-12)
            let tasks = [cb.reduce(0, +) / 2, copa, multirc.reduce(0, +) / 2]
            #expect(abs(averages.averageOverTasks - tasks.reduce(0, +) / 3) < 1e-12)
            // Of 13 lines and passages seven are the test half; a passage has five answers.
            #expect(evaluation.tasks.mapValues(\.examples) == ["cb": 7, "copa": 7, "multirc": 35])
            #expect(
                evaluation.glueSplits == "paper"
                    && evaluation.tasks["multirc"]?.splits?.map(\.examples) == [120, 30, 35])
        }

        @Test func `what is missing for SuperGLUE's score is said, and the rows of the split`() throws {
            let (project, training) = try Self.trained.get()
            let start = "SuperGLUE's own score is the average of its eight tasks; here it is without "
            let all = start + "boolq, superglue_rte, wic, wsc and ReCoRD"
            #expect(training.output.split(separator: "\n").contains { $0 == all }, "\(training.output)")
            let one = try Program.run(["evaluate", project.file("run"), "--split", "test", "--tasks", "cb"])
            let lines = one.output.split(separator: "\n")
            #expect(
                lines.contains { $0 == start + "boolq, copa, multirc, superglue_rte, wic, wsc and ReCoRD" },
                "\(one.output)")
            #expect(
                lines.contains {
                    $0 == "SuperGLUE's test examples by data.glueSplits paper: the other half of val.jsonl (cb)"
                }, "\(one.output)")
            #expect(one.error.contains("note: cb: train.jsonl has 24 rows instead of 250"), "\(one.error)")
            #expect(!one.error.contains("copa: "), "\(one.error)")
        }

        @Test func `predict reads the fields of a nested task under their own names`() throws {
            let (project, _) = try Self.trained.get()
            let input = try project.write(
                "multirc-lines.jsonl",
                "{\"question\": \"\(Self.text(1))\", \"answer\": \"baran\", \"paragraph\": \"\(Self.text(2))\"}\n")
            let result = try Program.run(["predict", project.file("run"), "--task", "multirc", "--input", input])
            #expect(result.code == 0 && result.output.split(separator: "\n").count == 1, "\(result)")
        }

        @Test func `ReCoRD is refused by its name`() throws {
            let (project, _) = try Self.trained.get()
            for command in [["prepare"], ["train"], ["plan"]] {
                let arguments = ["--config", project.configuration, "--out", project.file("record")]
                let result = try Program.run(command + arguments + ["--set", "tasks=[record]"])
                #expect(result.code == 78 && result.sentences.count == 1, "\(result)")
                #expect(result.error.contains("SuperGLUE's ReCoRD is not built in, since several answers"), "\(result)")
            }
            #expect(!FileManager.default.fileExists(atPath: project.file("record")))
        }
    }
}
