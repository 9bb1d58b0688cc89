import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Every command on a run with a task of free text, whose rows have one or two texts, and one of grouped labels.
    @Suite struct FreeTextCommandTests {
        static let words = ["baran", "cesel", "ditim", "fovok", "guwun", "hazar", "likel"]

        static func question(_ row: Int) -> String {
            (0..<3).map { words[(row * (2 * $0 + 1) + $0) % 7] }.joined(separator: " ") + " \(row)"
        }

        static let prepared = Swift.Result {
            let project = try TinyProject()
            func echo(_ rows: Range<Int>) -> String {
                rows.map { row in
                    let answer = words[row % 7] + " " + words[row % 5]
                    let texts = row % 2 == 0 ? "\"\(answer)\"" : "[\"\(answer)\", \"\(words[row % 7])\"]"
                    return "{\"question\": \"\(question(row))\", \"answers\": \(texts)}\n"
                }.joined()
            }
            func options(_ rows: Range<Int>) -> String {
                rows.map { "\(question($0))\t\($0 % 2)\tq\($0 / 3)\n" }.joined()
            }
            for (name, rows) in [("train", 0..<60), ("dev", 100..<118), ("test", 200..<221)] {
                try project.write("echo/\(name).jsonl", echo(rows))
                try project.write("options/\(name).tsv", "text\tlabel\tid\n" + options(rows))
            }
            func files(_ task: String, _ ending: String) -> String {
                """
                  - name: \(task)
                    train: \(task)/train.\(ending)
                    validation: \(task)/dev.\(ending)
                    test: \(task)/test.\(ending)

                """
            }
            let tasks =
                files("echo", "jsonl")
                + "    fields: [question]\n    target: answers\n"
                + "    metrics: [exact_match, token_f1, rouge_l, bleu]\n" + files("options", "tsv")
                + "    fields: [text]\n    labels: [\"0\", \"1\"]\n    group: id\n"
                + "    metrics: [macro_f1, group_exact_match]\n"
            try project.replace(
                "lora: {rank: 4}\n", by: tasks + "data: {maxTarget: 12}\nlora: {rank: 4}\n", in: "run.yaml")
            return project
        }

        static let trained = Swift.Result {
            let project = try prepared.get().copy()
            let result = try Program.run(project.train())
            #expect(result.code == 0, "\(result.error)")
            return (project, result)
        }

        struct Evaluation: Decodable {
            struct Task: Decodable, Equatable {
                struct Label: Decodable, Equatable {
                    var label: String
                    var examples: Int
                    var f1: Double
                }

                var figures: [String: Double]
                var examples: Int
                var labels: [Label]?
            }

            var average: Double
            var averagedFigures: Int
            var tasks: [String: Task]
        }

        static func evaluation(_ text: some StringProtocol) throws -> Evaluation {
            let start = try #require(text.firstIndex(of: "{"))
            return try JSONDecoder().decode(Evaluation.self, from: Data(text[start...].utf8))
        }

        @Test func `training ends with the figures of free text beside the others`() throws {
            let (project, result) = try Self.trained.get()
            for part in ["exact_match", "token_f1", "rouge_l", "bleu", "macro_f1", "group_exact_match", "free text, "] {
                #expect((result.output + result.error).contains(part), "\(part)")
            }
            let run = project.file("run")
            let file = try Self.evaluation(String(contentsOfFile: run + "/evaluation-test.json", encoding: .utf8))
            let echo = try #require(file.tasks["echo"])
            #expect(Set(echo.figures.keys) == ["exact_match", "token_f1", "rouge_l", "bleu"] && echo.labels == nil)
            #expect(echo.figures.values.allSatisfy { (0...1).contains($0) } && echo.examples == 21)
            let labels = try #require(file.tasks["options"]?.labels)
            #expect(labels.map(\.label) == ["0", "1"] && labels.map(\.examples).reduce(0, +) == 21)
            let macro = labels.reduce(0) { $0 + $1.f1 } / 2
            #expect(abs(macro - (file.tasks["options"]?.figures["macro_f1"] ?? -1)) < 1e-12)
            // colour has two figures, echo four and options two.
            let figures = ["colour", "echo", "options"].compactMap { file.tasks[$0]?.figures.values }.flatMap(\.self)
            #expect(file.averagedFigures == 8 && figures.count == 8)
            #expect(abs(file.average - figures.reduce(0, +) / 8) < 1e-12)
            // Lines about the training are as short as ever.
            let metrics = try String(contentsOfFile: run + "/metrics.jsonl", encoding: .utf8)
            #expect(!metrics.contains("\"labels\"") && metrics.contains("\"token_f1\""))
            let answers = try String(contentsOfFile: run + "/answers-test.json", encoding: .utf8)
            #expect(answers.contains("\"texts\"") && answers.contains("\"groups\""))
        }

        @Test func `any number of ranks gives the same, and a stopped run goes on`() throws {
            let (original, _) = try Self.trained.get()
            let whole = try Outcome(run: original.file("run"))
            let project = try Self.prepared.get().copy()
            #expect(try Program.run(project.train(["--stop-after", "5"])).code == 85)
            let result = try Program.run(project.train(["--set", "eval.ranks=all"]), ranks: 2)
            #expect(result.code == 0, "\(result.error)")
            #expect(try Outcome(run: project.file("run")) == whole)
        }

        @Test func `evaluate prints the labels' figures where they are few, and gives the same from two ranks`() throws
        {
            let project = try Self.trained.get().0.copy()
            let one = try Program.run(["evaluate", project.file("run"), "--split", "test"])
            let two = try Program.run(["evaluate", project.file("run"), "--split", "test", "--json"], ranks: 2)
            #expect(one.code == 0 && two.code == 0, "\(one.error) \(two.error)")
            #expect(try Self.evaluation(one.output).tasks == Self.evaluation(two.output).tasks)
            #expect(one.output.contains("precision") && !two.output.contains("  precision  recall"))
        }

        @Test func `predict answers with text, and has no scores for it`() throws {
            let project = try Self.trained.get().0
            let input = try project.write("lines", "{\"question\": \"baran cesel\"}\nditim fovok\n")
            let predict = ["predict", project.file("run"), "--input", input]
            let result = try Program.run(predict + ["--task", "echo"])
            #expect(result.code == 0, "\(result.error)")
            let answers = try PredictCommandTests.answers(result.output)
            #expect(answers.count == 2 && answers.allSatisfy { $0.answer != nil && $0.label == nil && $0.score == nil })
            let scores = try Program.run(predict + ["--task", "echo", "--scores"])
            #expect(scores.code == 64 && scores.sentences.count == 1)
            #expect(
                scores.error.contains("task \"echo\" has free text, and --scores is for tasks with labels or grades"))
            let mixed = try project.write(
                "mixed",
                "{\"task\": \"echo\", \"question\": \"baran\"}\n{\"task\": \"colour\", \"sentence\": \"baran\"}\n")
            let both = try Program.run(["predict", project.file("run"), "--input", mixed, "--scores"])
            let lines = try PredictCommandTests.answers(both.output)
            #expect(both.code == 65 && lines.first?.error?.contains("has free text") == true)
            #expect(lines.last?.scores?.count == 2)
        }

        @Test func `a budget that cuts answers is refused, unless the targets are cut to it`() throws {
            let project = try Self.prepared.get().copy()
            try project.write(
                "echo/dev.jsonl",
                "{\"question\": \"a\", \"answers\": \"\((Self.words + Self.words).joined(separator: " "))\"}\n")
            let refused = try Program.run(project.train(["--set", "eval.maxNewTokens=9"]))
            #expect(refused.code == 78, "\(refused.error)")
            #expect(refused.error.contains("task \"echo\": the longest validation answer takes "), "\(refused.error)")
            #expect(
                refused.error.contains("more than the generation budget of 9; raise eval.maxNewTokens to 12, or cut"))
            let prepared = try Program.run(
                ["prepare", "--config", project.configuration, "--out", project.file("p"), "--set", "data.maxTarget=9"])
            #expect(prepared.code == 0, "\(prepared.error)")
            #expect(prepared.output.contains("1 of 1 validation answers cut to 9 tokens (the longest has "))
            #expect(prepared.output.contains("different answers"))
            let allowed = try Program.run(
                project.train(["--set", "eval.maxNewTokens=9", "--set", "data.maxTarget=9", "--stop-after", "1"]))
            #expect(allowed.code == 85, "\(allowed.error)")
        }

        @Test func `plan, export and a warm start know free text`() throws {
            let project = try Self.trained.get().0.copy()
            let plan = try Program.run(["plan", "--config", project.configuration])
            #expect(plan.code == 0 && plan.output.contains("echo "), "\(plan.error)")
            let exported = project.file("native")
            let export = try Program.run(["export", project.file("run"), "--format", "native", "--out", exported])
            #expect(export.code == 0, "\(export.error)")
            let card = try String(contentsOfFile: exported + "/README.md", encoding: .utf8)
            #expect(card.contains("free text") && card.contains("token_f1"))
            let warm = try Program.run(
                [
                    "train", "--config", project.configuration, "--out", project.file("warm"), "--init-from",
                    exported + "/unolora_adapter.safetensors", "--stop-after", "2",
                ])
            #expect(warm.code == 85, "\(warm.error)")
        }
    }
}
