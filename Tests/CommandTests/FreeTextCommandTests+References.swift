import Foundation
import Testing

extension ProgramTests.FreeTextCommandTests {
    /// A run with so many steps that every answer has words.
    private static let answering = Swift.Result {
        let project = try prepared.get().copy()
        let settings = ["train.steps=200", "eval.every=null", "eval.atEnd=false", "checkpoint.every=200"]
        let result = try Program.run(project.train(settings.flatMap { ["--set", $0] }))
        #expect(result.code == 0, "\(result.error)")
        return project
    }

    private static let figures = ["exact_match", "token_f1", "rouge_l", "bleu"]

    /// The figures of `echo` on the answers that it gives itself, as its tasks file's references.
    private static func evaluate(
        _ project: TinyProject, _ questions: [String], _ references: (Int) -> [String]
    ) throws -> [String: Double] {
        let rows = try questions.enumerated().map { index, question in
            try JSONSerialization.data(withJSONObject: ["question": question, "answers": references(index)])
        }
        try project.write("references.jsonl", rows.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined())
        let file = try project.write("references.yaml", "tasks:\n  - {name: echo, test: references.jsonl}\n")
        let result = try Program.run(
            [
                "evaluate", project.file("run"), "--checkpoint", "last", "--split", "test", "--tasks", "echo",
                "--tasks-file", file, "--json",
            ])
        #expect(result.code == 0, "\(result.error)")
        return try #require(try evaluation(result.output).tasks["echo"]?.figures)
    }

    @Test func `an answer is right if it is any of the references, wherever it stands among them`() throws {
        let project = try Self.answering.get()
        let questions = (200..<221).map(Self.question)
        let input = try project.write(
            "echo-questions.jsonl", questions.map { "{\"question\": \"\($0)\"}\n" }.joined())
        let predicted = try Program.run([
            "predict", project.file("run"), "--checkpoint", "last", "--task", "echo", "--input", input,
        ])
        #expect(predicted.code == 0, "\(predicted.error)")
        let answers = try ProgramTests.PredictCommandTests.answers(predicted.output).map { try #require($0.answer) }
        try #require(answers.count == questions.count && answers.allSatisfy { !$0.isEmpty && $0 != "zzz" })
        for references in [{ ["zzz", answers[$0]] }, { [answers[$0], "zzz"] }, { [answers[$0]] }] as [(Int) -> [String]]
        {
            let found = try Self.evaluate(project, questions, references)
            #expect(found.keys.sorted() == Self.figures.sorted())
            for name in Self.figures.dropLast() { #expect(found[name] == 1, "\(name): \(found)") }
            // BLEU needs an answer of four words.
            let isLong = answers.contains { $0.split(separator: " ").count >= 4 }
            #expect(abs((found["bleu"] ?? -1) - (isLong ? 1 : 0)) < 1e-12, "\(found), \(answers)")
        }
        let none = try Self.evaluate(project, questions) { _ in ["zzz"] }
        #expect(none == ["exact_match": 0, "token_f1": 0, "rouge_l": 0, "bleu": 0])
    }

    @Test func `other files of free text and of groups that do not fit are refused by column and length`() throws {
        let project = try Self.answering.get()
        try project.write("no-group.tsv", "text\tlabel\nbaran cesel\t0\n")
        try project.write("long.jsonl", "{\"question\": \"a\", \"answers\": [\"a\", \"b\"]}\n")
        try project.write("no-answers.jsonl", "{\"question\": \"a\"}\n")
        let text = String(repeating: Self.words.joined(separator: " ") + " ", count: 3)
        try project.write("too-long.jsonl", "{\"question\": \"a\", \"answers\": [\"\(text)\", \"b\"]}\n")
        for (entry, more, code, says) in [
            ("{name: options, test: no-group.tsv}", [], 65, "the header has no column \"id\""),
            ("{name: echo, test: no-answers.jsonl}", [], 65, "no-answers.jsonl:1: the object has no key \"answers\""),
            (
                "{name: echo, test: too-long.jsonl}", ["--set", "eval.maxNewTokens=9"], 78,
                "task \"echo\": the longest test answer"
            ),
        ] as [(String, [String], Int32, String)] {
            let file = try project.write("bad.yaml", "tasks:\n  - \(entry)\n")
            let name = entry.contains("options") ? "options" : "echo"
            let result = try Program.run(
                [
                    "evaluate", project.file("run"), "--checkpoint", "last", "--split", "test", "--tasks", name,
                    "--tasks-file", file,
                ] + more)
            #expect(result.code == code && result.sentences.count == 1 && result.error.contains(says), "\(result)")
        }
        // Without its figure the group is not needed.
        let file = try project.write(
            "accuracy.yaml", "tasks:\n  - {name: options, test: no-group.tsv, metrics: [accuracy]}\n")
        let result = try Program.run(
            [
                "evaluate", project.file("run"), "--checkpoint", "last", "--split", "test", "--tasks", "options",
                "--tasks-file", file, "--json",
            ])
        #expect(try result.code == 0 && Self.evaluation(result.output).tasks["options"]?.examples == 1, "\(result)")
    }
}
