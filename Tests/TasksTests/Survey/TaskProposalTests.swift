import Failures
import Tasks
import TestSupport
import Testing

@Suite struct TaskProposalTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func proposal(_ name: String, _ content: String, hasHeader: Bool? = nil) throws -> [String] {
        let path = try directory.write(name, content)
        let survey = try FileSurvey(path: path, format: FileFormat(ofName: name), hasHeader: hasHeader)
        return try TaskProposal(survey, name: "t").text().split(separator: "\n").map(String.init)
    }

    /// The lines of the entry, without the one with the path.
    private func entry(_ lines: [String]) -> [String] {
        lines.filter { $0.hasPrefix("    ") && !$0.hasPrefix("    train: ") }.map { String($0.dropFirst(4)) }
    }

    private func examples(_ lines: [String]) -> [String] {
        let start = lines.firstIndex { $0.hasPrefix("# What the model will see") } ?? lines.count - 1
        return lines[(start + 1)...].map { String($0.dropFirst(2)) }
    }

    @Test func `a column with a usual name and few values is the label`() throws {
        let rows = (0..<8).map { "\($0),\"A sentence, \($0)\",\(["no", "yes"][$0 % 2]),en\n" }
        let lines = try proposal("a.csv", "idx,text,label,language\n" + rows.joined())
        #expect(
            entry(lines) == [
                "format: csv", "fields: [text]", "label: label", "labels: [\"no\", \"yes\"]", "holdOut: 1",
            ])
        #expect(examples(lines)[0] == "t text: A sentence, 0 -> no" && examples(lines).count == 3)
        #expect(lines[0].hasSuffix("a.csv: csv, with a header, 8 rows"))
        #expect(
            lines[1]
                == "# The label label is a guess: it has a usual name of labels, and has 2 values: no 4 times, yes 4 times."
        )
        #expect(lines[2].hasSuffix("there are also idx, language."))
    }

    @Test func `without a usual name the last column with few values is, and a file may have no header`() throws {
        let rows = (0..<12).map { "gj04\t\($0 % 2)\t\tSentence number \($0).\n" }
        let lines = try proposal("c.tsv", rows.joined())
        // The first column is constant, and the third is empty.
        #expect(
            entry(lines) == [
                "format: tsv", "header: false", "columns: [column0, column1, column2, column3]", "fields: [column3]",
                "label: column1", "labels: [\"0\", \"1\"]", "holdOut: 1",
            ])
        // What looks like a header can be a row, and what does not can be one.
        let asked = try proposal("h.tsv", "a b\tc\nd e\tc\nf g\tx\nh i\tx\n", hasHeader: false)
        #expect(asked[0].hasSuffix(": tsv, 4 rows"))
        #expect(
            try proposal("n.tsv", "1\tlabel\na b\tc\nd e\tc\nf g\tx\nh i\tx\n", hasHeader: true)[0].hasSuffix(
                "header, 4 rows"))
    }

    @Test func `numbers in a column with a usual name are a range`() throws {
        let rows = (0..<60).map { "A text \($0)\tAnother \($0) text\tnews\t\(Double($0) / 12)\n" }
        let lines = try proposal("s.tsv", "sentence1\tsentence2\tgenre\tscore\n" + rows.joined())
        #expect(
            entry(lines) == [
                "format: tsv", "fields: [sentence1, sentence2]", "label: score", "range: [0.0, 5.0, 0.2]", "holdOut: 6",
            ])
        #expect(examples(lines)[1] == "t sentence1: A text 1 sentence2: Another 1 text -> 0.0")
    }

    @Test func `where no column is like labels, the last text is a target, and objects are looked into`() throws {
        let rows = (0..<9).map {
            "{\"id\": \($0), \"document\": {\"text\": \"A long text \($0)\"}, \"tags\": [1], \"summary\": \"In short \($0)\"}\n"
        }
        let lines = try proposal("d.jsonl", rows.joined() + "{\"id\": 9}\n")
        #expect(
            entry(lines) == ["format: jsonl", "fields: [document.text]", "target: summary", "holdOut: 1"])
        #expect(examples(lines)[2] == "t document.text: A long text 2 -> In short 2")
        #expect(lines.contains("# Lists cannot be columns: tags."))
        #expect(
            lines.contains {
                $0.hasPrefix("# 1 rows cannot be read with these columns (the first is line 10: the object")
            })
    }

    /// The list that is read as an answer, and the columns that it is chosen before.
    @Test(arguments: [
        (#""question": "Who is #", "answers": ["Mr #", "he"], "kind": "@""#, "target: answers"),
        (#""question": "Who is #", "answers": {"text": ["Mr #"], "start": [1]}"#, "target: answers.text"),
        (#""question": "Who is #", "names": ["Mr #"], "id": #"#, "target: names"),
        (#""question": "Who is #", "names": ["Mr #"], "kind": "@""#, "label: kind"),
        (#""question": "Who is #", "answers": ["Mr #"], "label": "@""#, "label: label"),
        (#""text": "A text #", "short": "In short #", "names": ["x"]"#, "target: short"),
        (#""text": "A text #", "answers": [1, 2], "short": "In short #""#, "target: short"),
        (#""text": "A text #", "answers": [], "short": "In short #""#, "target: short"),
    ])
    func `a list of texts is a target with several references`(row: String, answer: String) throws {
        let lines = try proposal(
            "l.jsonl",
            (0..<12).map {
                "{" + row.replacing("#", with: "\($0)").replacing("@", with: ["a", "b"][$0 % 2]) + "}\n"
            }.joined())
        #expect(entry(lines).contains(answer), "\(lines)")
        #expect(!lines.contains { $0.contains("cannot be read") }, "\(lines)")
        // A list that is no answer is no field either.
        let fields = entry(lines).first { $0.hasPrefix("fields: ") }
        #expect(["answers", "names"].allSatisfy { fields?.contains($0) == false }, "\(lines)")
        if answer.hasPrefix("target: answers") || answer == "target: names" {
            #expect(examples(lines)[0] == "t question: Who is 0 -> Mr 0")
        }
    }

    @Test func `a label with white space around it is mapped to an answer without`() throws {
        let rows = (0..<8).map { "A text \($0),\([" yes", " no"][$0 % 2])\n" }
        let lines = try proposal("w.csv", "text,label\n" + rows.joined())
        #expect(entry(lines).contains("labels: {\" no\": \"no\", \" yes\": \"yes\"}"), "\(lines)")
        #expect(examples(lines)[0] == "t text: A text 0 -> yes")
    }

    @Test func `what cannot be a task is refused`() throws {
        expectFailure(.badData, "has no column that the model could read") {
            try proposal("o.csv", "label\na\nb\na\nb\n")
        }
        expectFailure(.badData, "e.jsonl is empty") { try proposal("e.jsonl", "") }
        expectFailure(.badData, "b.jsonl:1: not a JSON object") { try proposal("b.jsonl", "1\n") }
        expectFailure(.badData, "a.jsonl is one JSON array, and JSONL has an object on each line") {
            try proposal("a.jsonl", "[\n{\"text\": \"a\"},\n{\"text\": \"b\"}\n]\n")
        }
        expectFailure(.badData, "t.tsv has no row that can be read") { try proposal("t.tsv", "a\tb\n") }
        expectFailure(.usage, "the format of x.txt does not show in its name; give --format") {
            try FileFormat(ofName: "x.txt")
        }
        #expect(try FileFormat(ofName: "a.csv.gz") == .csv)
    }
}
