import Foundation
import Testing

extension ProgramTests.EvaluateOtherDataTests {
    /// The same rows as MRPC's official test, in formats that only the name tells.
    @Test(arguments: ["paraphrases.csv.gz", "paraphrases.jsonl.gz", "paraphrases.tsv.gz"])
    func `a packed file of another format is read by its name`(name: String) throws {
        let project = try Self.shared.get()
        let rows = Self.paraphrases(100..<131, end: "\n").split(separator: "\n").map {
            $0.split(separator: "\t").map(String.init)
        }
        func json(_ row: [String]) throws -> String {
            let object = Dictionary(uniqueKeysWithValues: zip(rows[0], row))
            return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
        }
        let lines =
            if name.contains(".csv") {
                rows.map { $0.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ",") }
            } else if name.contains(".jsonl") {
                try rows.dropFirst().map(json)
            } else {
                rows.map { $0.joined(separator: "\t") }
            }
        try project.writePacked(name, lines.joined(separator: "\n") + "\n")
        let file = try project.write("\(name).yaml", "tasks:\n  - {name: mrpc, test: \(name)}\n")
        let arguments = ["--split", "test", "--tasks", "mrpc", "--tasks-file"]
        let (packed, _, _) = try Self.evaluate(project, arguments + [file])
        let (plain, _, _) = try Self.evaluate(project, arguments + [project.file("official.yaml")])
        #expect(packed.tasks["mrpc"]?.examples == 31)
        #expect(packed.tasks["mrpc"]?.figures == plain.tasks["mrpc"]?.figures)
        #expect(packed.tasks["mrpc"]?.splits?.first?.files.map(\.name) == [name])
    }

    @Test func `the JSON says of every task all that its figures depend on`() throws {
        let project = try Self.shared.get()
        try project.write(
            "shades.tsv", "sentence\tlabel\n" + (0..<12).map { "\(Self.text($0))\t\(["r", "b"][$0 % 2])\n" }.joined())
        let file = try project.write(
            "complete.yaml",
            """
            tasks:
              - {name: mrpc, test: msr_paraphrase_test.txt}
              - {name: shades, as: colour, test: shades.tsv}

            """)
        let (evaluation, _, _) = try Self.evaluate(project, ["--split", "test", "--tasks-file", file])
        #expect(evaluation.tasks.keys.sorted() == ["colour", "mrpc", "shades", "stsb"])
        #expect(evaluation.method != nil && evaluation.seed != nil && evaluation.splitSeed != nil)
        #expect(evaluation.glueSplits == "paper" && evaluation.runTasks?.count == 3)
        #expect(evaluation.checkpoint?.digest.isEmpty == false && evaluation.model?.digest.isEmpty == false)
        #expect(evaluation.program?.version.isEmpty == false)
        for (name, task) in evaluation.tasks {
            #expect(task.template?.contains("{") == true && task.baselineOf != nil, "\(name)")
            #expect(task.baseline?.keys.sorted() == task.figures.keys.sorted(), "\(name)")
            let split = try #require(task.splits?.first { $0.split == "test" }, "\(name)")
            #expect(split.examples == task.examples && !split.rows.isEmpty, "\(name)")
            #expect(!split.files.isEmpty && split.files.allSatisfy { $0.digest.count == 32 }, "\(name)")
            #expect((task.standsFor != nil) == ["mrpc", "shades"].contains(name), "\(name)")
        }
    }
}
