import Foundation
import Tasks
import TestSupport
import Testing

extension ProgramTests {
    /// The program's messages about text that the model does not see, and about tokens that a model's files add.
    @Suite struct LostTextTests {
        /// A trained project. Its task `pair` has first texts so long that the second ones are lost, and its model has an added
        /// token.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let long = String(repeating: "baran cesel ditim ", count: 20)
            // Numbers are written in words, since the vocabulary lacks some digits.
            let digits = ["baran", "cesel", "ditim", "fovok", "guwun", "hazar", "likel", "moran"]
            let rows = (0..<100).map { row in
                let number = String(row, radix: 8).compactMap { $0.wholeNumberValue.map { digits[$0] } }
                let second = number.joined(separator: " ") + (row < 40 ? " 漢字" : "")
                return #"{"first": "\#(long)", "second": "\#(second)", "same": \#(row % 2 == 0)}"#
            }
            try project.write("pair/train.jsonl", rows.joined(separator: "\n"))
            try project.replace(
                "    fields: [first, second]\n",
                by: "    fields: [first, second]\n    template: \"{first} {second}\"\n",
                in: "run.yaml")
            try project.write(
                "model/tokenizer_config.json",
                #"{"extra_ids": 5, "sep_token": "<none>", "added_tokens_decoder": {"155": {"content": "<sep>"}}}"#)
            let run = project.file("run")
            let settings = [
                "data.maxSource=40", "method=lora_per_task", "train.steps=2", "lr.warmup=0", "eval.every=null",
            ]
            let result = try Program.run(project.train(settings.flatMap { ["--set", $0] }))
            #expect(result.code == 0, "\(result.error)")
            return (project, run, result.output)
        }

        @Test func `train, evaluate and prepare name the field that is lost, and the run keeps the counts`() throws {
            let (project, run, output) = try Self.shared.get()
            let notice = "of 80 train sources lose the field second completely"
            #expect(output.contains("data: pair: 80 of 80 train sources cut to 40 tokens, 80 \(notice)"), "\(output)")
            #expect(output.components(separatedBy: " lose ").count == 3, "only those of pair: \(output)")
            let evaluated = try Program.run(["evaluate", run, "--split", "validation", "--tasks", "pair", "--json"])
            #expect(evaluated.error.contains("20 of 20 validation sources lose the field second completely"))
            #expect(try JSONSerialization.jsonObject(with: Data(evaluated.output.utf8)) is [String: Any])
            let prepared = try Program.run([
                "prepare", "--config", project.configuration, "--set", "data.maxSource=40", "--out",
                project.file("run"),
            ])
            #expect(
                prepared.output.contains("\npair: 80 of 80 train sources cut to 40 tokens, 80 \(notice)"), "\(prepared)"
            )
            #expect(prepared.output.contains("of the characters unknown to the vocabulary"), "\(prepared)")

            let data = try Data(contentsOf: URL(fileURLWithPath: run + "/data.json"))
            let statistics = try JSONDecoder().decode(DataStatistics.self, from: data)
            let pair = try #require(statistics.tasks.first { $0.task == "pair" })
            #expect(pair.splits.map(\.sources.cut.count).reduce(0, +) == 100)
            #expect(pair.splits.map(\.sources.withUnknown.count).reduce(0, +) == 40)
            #expect(pair.splits.map(\.sources.unknownCharacters.count).reduce(0, +) == 80)
        }

        @Test func `a prediction says that its text was cut, which field is lost, and what is unknown`() throws {
            let (project, run, _) = try Self.shared.get()
            let long = String(repeating: "baran cesel ditim ", count: 20)
            let input = try project.write("lines.txt", "ba\tce\n\(long)\tce\nba\t漢字漢字\nba <sep>\tce\n")
            let result = try Program.run(["predict", run, "--task", "pair", "--input", input])
            #expect(result.code == 0, "\(result.error)")
            let lines = result.output.split(separator: "\n")
            try #require(lines.count == 4)
            #expect(["truncated", "lost", "unknown"].allSatisfy { !lines[0].contains($0) && !lines[3].contains($0) })
            #expect(lines[1].contains(#""lost":["second"]"#) && lines[1].contains(#""truncated":true"#))
            #expect(lines[2].contains(#""unknown":0."#) && !lines[2].contains("truncated"))
        }

        @Test func `a token that the model does not have is refused in its line`() throws {
            let (project, run, _) = try Self.shared.get()
            let input = try project.write("none.txt", "ba\tce\nba <none>\tce\n")
            let result = try Program.run(["predict", run, "--task", "pair", "--input", input])
            let lines = result.output.split(separator: "\n")
            #expect(result.code == 65 && lines.count == 2 && !lines[0].contains("error"), "\(result)")
            #expect(lines.last?.contains(#""error":"the text holds \"<none>\""#) == true, "\(result)")
            #expect(result.error.contains("1 of 2 could not be answered"), "\(result.error)")
        }

        @Test func `texts that the vocabulary mostly lacks are warned of`() throws {
            let project = try TinyProject()
            for name in ["train", "validation", "test"] {
                let rows = (0..<60).map { "今天天气很好今天天气很好\($0) \(name)\t\($0 % 3 == 0 ? "r" : "b")\n" }
                try project.write("colour/\(name).tsv", "sentence\tlabel\n" + rows.joined())
            }
            let result = try Program.run([
                "prepare", "--config", project.configuration, "--out", project.file("run"),
            ])
            #expect(result.code == 0, "\(result.error)")
            let warnings = result.output.split(separator: "\n").filter { $0.hasPrefix("warning: task colour, ") }
            #expect(warnings.count == 3 && warnings.allSatisfy { $0.contains("unknown to the vocabulary") })
        }

        @Test func `a vocabulary that is another model's is refused by train and made to fit by new-model`() throws {
            let project = try TinyProject()
            let made = try Program.run([
                "new-model", "--preset", "t5-mini", "--out", project.file("new"), "--vocabulary",
                project.file("model/spiece.model"),
            ])
            #expect(made.output.contains("150 pieces in an embedding of 256 rows"), "\(made)")
            try project.replace("\"vocab_size\" : 256", by: "\"vocab_size\" : 32128", in: "new/config.json")
            let refused = try Program.run([
                "plan", "--config", project.configuration, "--set", "model=\(project.file("new"))",
            ])
            #expect(refused.code == 65 && refused.sentences.count == 1, "\(refused)")
            #expect(refused.error.contains("32128 rows") && refused.error.contains("only 150"), "\(refused.error)")
        }

        /// Such a run was correct: its texts have the same tokens as before.
        @Test func `a run that began with a vocabulary much smaller than the embedding goes on, with a warning`() throws
        {
            let project = try TinyProject()
            let made = try Program.run(["new-model", "--preset", "t5-mini", "--out", project.file("large")])
            #expect(made.code == 0, "\(made)")
            let files = FileManager.default
            try files.copyItem(atPath: project.file("model/spiece.model"), toPath: project.file("large/spiece.model"))
            let arguments = project.train([
                "--set", "model=\(project.file("large"))", "--set", "eval.atEnd=false", "--stop-after", "1",
            ])
            let refused = try Program.run(arguments)
            #expect(refused.code == 65 && refused.error.contains("it is another model's vocabulary"), "\(refused)")
            // The file that an earlier start has left.
            try "".write(toFile: project.file("run/config.yaml"), atomically: true, encoding: .utf8)
            let begun = try Program.run(arguments)
            #expect(begun.code == 85, "\(begun)")
            #expect(begun.output.contains("of the 32128 rows of the embedding have no token"), "\(begun.output)")
        }
    }
}
