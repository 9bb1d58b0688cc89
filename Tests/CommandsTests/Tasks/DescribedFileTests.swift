import Configuration
import Foundation
import Tasks
import TestSupport
import Testing
import Training

@testable import Commands

/// What `tasks describe` proposes, read like a configuration.
@Suite struct DescribedFileTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func described(_ path: String, hasHeader: Bool? = nil) throws -> (text: String, task: TaskDefinition) {
        let text = try TasksCommand.describe(path, format: nil, hasHeader: hasHeader, name: nil)
        let configuration = try RunConfiguration.load(
            yaml: "model: t5\n" + text, name: "run.yaml", directory: directory.path)
        return (text, try #require(configuration.definitions().first))
    }

    /// Whole numbers, and scores between them: the proposed step must divide the range, and the range hold all scores.
    @Test func `a range is proposed that can be read, whatever it spans`() throws {
        for span in Array(1...120) + [1_000, 9_973, 123_457, 999_999_937] {
            for (first, last) in [(0, Double(span)), (-3, Double(span) - 3.25), (0.75, Double(span))] {
                let scores = [first, last, (first + last) / 2] + [Double](repeating: first, count: 37)
                let rows = scores.enumerated().map { "Text number \($0)\t\($1)\n" }
                let path = try directory.write("span.tsv", "text\tscore\n" + rows.joined())
                let (text, task) = try described(path)
                guard case .grades(let minimum, let maximum, let step, _) = task.answers else {
                    Issue.record("\(span): \(text)")
                    continue
                }
                #expect(minimum <= min(first, last) && maximum >= max(first, last), "\(span): \(text)")
                #expect(step > 0 && (maximum - minimum) / step <= 25.5, "\(span): \(text)")
                #expect(try TaskExamples(task).count(.train) == 36, "\(span)")
            }
        }
    }

    /// Each name ends with the format; the rows have all that is odd in tables and texts.
    static let files: [(name: String, content: String)] = [
        ("a.csv", "id,text,label\n" + rows { "\($0),\"One, \"\"two\"\"\nand \($0)\",\(["no", "1.0"][$0 % 2])\n" }),
        ("b.tsv", rows { "\($0)\tSentence number \($0)\t\(["a: b", "#1 String", "- c"][$0 % 3])\n" }),
        ("c.tsv", "#1 String\tyes\tlabel\n" + rows { "First text \($0)\tsecond text\t\(["null", "~"][$0 % 2])\n" }),
        (
            "d.jsonl",
            rows {
                "{\"a\": {\"b.c\": \"Deep text \($0)\", \"n\": 1}, \"label\": \($0 % 2 == 0), \"tags\": [\"x\", \"y\"]}\n"
            }
        ),
        ("e.jsonl", rows { "{\"question\": \"Who is \($0)\", \"answers\": [\"Mr \($0)\", \"he\"], \"id\": \($0)}\n" }),
        ("f.jsonl", rows { "{\"q\": \"Who is \($0)\", \"all\": {\"text\": [\"Mr \($0)\"]}, \"id\": \($0)}\n" }),
        ("g.csv", " text, label\n" + rows { "Text number \($0),\([" yes", " no"][$0 % 2])\n" }),
        ("h.jsonl", rows { "{\"text\": \"Say \\\"\($0)\\\" é\", \"label\": \"\(["{x}", "100%"][$0 % 2])\"}\n" }),
        ("i.tsv", "text\tscore\n" + rows { "Text number \($0)\t\(Double($0) / 7)\n" }),
    ]

    private static func rows(_ row: (Int) -> String) -> String { (0..<24).map(row).joined() }

    @Test(arguments: files.indices)
    func `the examples shown are what the training reads`(file: Int) throws {
        let (name, content) = Self.files[file]
        let path = try directory.write(name, content)
        let (text, task) = try described(path)
        let examples = try TaskExamples(task)
        // Validation rows come out of the same file.
        let all = try [SplitName.train, .validation].flatMap { split in
            try (0..<examples.count(split)).map { try examples.example(split, $0) }
        }
        #expect(all.count == 24)
        let first = all.sorted { $0.line < $1.line }.prefix(3).map { "# \($0.source) -> \($0.target)" }
        // What is shown has no characters that a terminal would take for more than text.
        let shown = text.split(separator: "\n").suffix(3).map { String($0).replacing("\\n", with: "\n") }
        #expect(shown == first)
    }

    @Test func `a list of texts is proposed as an answer with several references`() throws {
        let path = try directory.write("e.jsonl", Self.files[4].content)
        let (text, task) = try described(path)
        #expect(task.answers == .texts && task.fields.map(\.name) == ["question"])
        #expect(text.contains("\n    target: answers\n") && text.contains("\n# e question: Who is 0 -> Mr 0\n"))
        guard case .texts(let references) = try TaskExamples(task).example(.validation, 0).gold else { return }
        #expect(references.count == 2 && references[1] == "he")
    }

    @Test(arguments: ["RTE/train.tsv", "CB/train.tsv", "mnli-matched.tsv", "mnli_matched.tsv", "cola.tsv"])
    func `no name of a built-in task is proposed`(name: String) throws {
        let path = try directory.write(name, "text\tlabel\n" + Self.rows { "Text number \($0)\t\($0 % 2)\n" })
        let (_, task) = try described(path)
        #expect(!(GLUE.names + SuperGLUE.names).contains(task.name) && task.name.hasPrefix("own_"))
    }
}
