import Failures
import Foundation
import Tasks
import TestSupport
import Testing

@Suite struct ReaderTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func examples(
        _ name: String, _ content: String, format: TableFormat = .tsv(hasHeader: true),
        fields: [Field] = [Field("text")],
        label: Column = .named("label"), options: ReadingOptions = ReadingOptions()
    ) throws -> TaskExamples {
        let path = try directory.write(name, content)
        return try TaskExamples(
            TaskDefinition(
                name: "t", format: format, fields: fields, label: label, answers: .classes(["a", "b", "c"]),
                labels: LabelMap(classes: ["0", "1", "true"], ignored: ["-"]), metrics: [.accuracy],
                splits: SplitDefinition.splits(train: [path])), options: options)
    }

    private func texts(_ examples: TaskExamples) throws -> [String] {
        try (0..<examples.count(.train)).map { try examples.example(.train, $0).source }
    }

    @Test func `quotes, carriage returns inside a line, separators of Unicode and empty texts are text`() throws {
        let examples = try examples(
            "q.tsv", "text\tlabel\r\n\"a\t0\r\n'b\"\"\t1\na\rb\t1\nline\u{2028}next\u{85}\t0\n\t1\nlast\t0")
        #expect(
            try texts(examples) == [
                "t text: \"a", "t text: 'b\"\"", "t text: a\rb", "t text: line\u{2028}next\u{85}", "t text: ",
                "t text: last",
            ])
        #expect(try (0..<6).map { try examples.example(.train, $0).line } == [2, 3, 4, 5, 6, 7])
    }

    @Test func `columns are found by name or number, and one column may serve twice`() throws {
        let named = try examples(
            "n.tsv", "label\tother\ttext\n1\tx\ty\n", fields: [Field("text"), Field("again", column: .named("text"))])
        #expect(try texts(named) == ["t text: y again: y"])
        let numbered = try examples(
            "i.tsv", "1\tx\ty\n", format: .tsv(hasHeader: false), fields: [Field("text", column: .index(2))],
            label: .index(0))
        #expect(try texts(numbered) == ["t text: y"])
    }

    @Test func `rows of a file without header have the columns that the task says, the first one too`() throws {
        let format = TableFormat.tsv(hasHeader: false, columns: 3)
        let fields = [Field("text", column: .index(2))]
        expectFailure(.badData, "b.tsv:1: the row has 2 columns, but rows of this file have 3") {
            try examples("b.tsv", "1\tx\n1\tx\ty\n", format: format, fields: fields, label: .index(0))
        }
        let skipped = try examples(
            "b.tsv", "1\tx\n1\tx\ty\n", format: format, fields: fields, label: .index(0),
            options: ReadingOptions(onBadRow: .skip))
        #expect(try texts(skipped) == ["t text: y"])
        expectFailure(.badConfiguration, "there is no column 3, only 0 to 2") {
            try examples("b.tsv", "", format: format, fields: fields, label: .index(3))
        }
    }

    @Test func `rows of a ragged file may have more columns, but not fewer`() throws {
        let format = TableFormat.tsv(hasHeader: false, columns: 3, ragged: true)
        let fields = [Field("text", column: .index(2))]
        let rows = "1\tx\ty\thttp://a\n0\tx\tz\n1\tx\tw\t\t\n"
        let read = try examples("r.tsv", rows, format: format, fields: fields, label: .index(0))
        #expect(try texts(read) == ["t text: y", "t text: z", "t text: w"])
        expectFailure(.badData, "s.tsv:2: the row has 2 columns, but rows of this file have 3") {
            try examples("s.tsv", "1\tx\ty\tz\n1\tx\n", format: format, fields: fields, label: .index(0))
        }
    }

    /// A digest of the definition is in the key of the token cache, and so in the identity of each run.
    @Test func `a format that is not ragged is encoded as in earlier versions`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        func text(_ format: TableFormat) throws -> String {
            String(decoding: try encoder.encode(format), as: UTF8.self)
        }
        #expect(try text(.tsv(hasHeader: true)) == "{\"tsv\":{\"hasHeader\":true}}")
        #expect(try text(.tsv(hasHeader: false, columns: 3)) == "{\"tsv\":{\"columns\":3,\"hasHeader\":false}}")
        #expect(try text(.tsv(hasHeader: true, ragged: true)) != text(.tsv(hasHeader: true)))
    }

    @Test func `bad TSV rows are refused with file, line and reason`() {
        let header = "text\tlabel\n"
        expectFailure(.badData, "old.tsv:1: the lines end with a carriage return alone", "convert") {
            try examples("old.tsv", "text\tlabel\ra\t0\rb\t1\r")
        }
        expectFailure(.badData, "few.tsv:3: the row has 1 column, but the file has 2", "data.onBadRow: skip") {
            try examples("few.tsv", header + "a\t0\nb\n")
        }
        expectFailure(.badData, "many.tsv:2: the row has 3 columns") { try examples("many.tsv", header + "a\t0\tx\n") }
        expectFailure(.badData, "blank.tsv:3: the row has 1 column") {
            try examples("blank.tsv", header + "a\t0\n\nb\t1\n")
        }
        expectFailure(.badData, "label.tsv:2: the label \"maybe\" is none of \"0\", \"1\", \"true\"") {
            try examples("label.tsv", header + "a\tmaybe\n")
        }
    }

    @Test func `files that are not what they should be are refused`() throws {
        let absent = directory.file("absent.tsv")
        expectFailure(.inputMissing, absent) {
            try TaskExamples(
                TaskDefinition(
                    name: "t", format: .jsonLines, fields: [Field("a")], label: .named("l"),
                    answers: .classes(["a", "b"]),
                    labels: LabelMap(classes: ["a", "b"]), metrics: [.accuracy],
                    splits: SplitDefinition.splits(train: [absent])))
        }
        expectFailure(.badData, "empty.tsv is empty") { try examples("empty.tsv", "") }
        expectFailure(.badData, "empty.jsonl is empty") { try examples("empty.jsonl", "", format: .jsonLines) }
        expectFailure(.badData, "only.tsv has no usable row") { try examples("only.tsv", "text\tlabel\n") }
        expectFailure(.badData, "h.tsv:1: the header has no column \"text\"", "\"sentence\", \"label\"") {
            try examples("h.tsv", "sentence\tlabel\na\t0\n")
        }
        expectFailure(.badData, "d.tsv:1: the header has two columns \"text\"") {
            try examples("d.tsv", "text\ttext\tlabel\n")
        }
        expectFailure(.badData, "c.tsv:1: there is no column 5, only 0 to 1") {
            try examples(
                "c.tsv", "a\t0\n", format: .tsv(hasHeader: false), fields: [Field("text", column: .index(5))],
                label: .index(1))
        }
    }

    @Test func `bytes that are not UTF-8 are refused with their line`() throws {
        let path = directory.file("u.tsv")
        try (Data("text\tlabel\na\t0\n".utf8) + [0xFF, 0x09, 0x30, 0x0A]).write(to: URL(fileURLWithPath: path))
        let definition = try TaskDefinition(
            name: "t", format: .tsv(hasHeader: true), fields: [Field("text")], label: .named("label"),
            answers: .classes(["a", "b"]), labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
            splits: SplitDefinition.splits(train: [path]))
        expectFailure(.badData, "u.tsv:3: the line is not UTF-8") { try TaskExamples(definition) }
    }

    @Test func `skipped rows are counted with the first reason`() throws {
        let examples = try examples(
            "s.tsv", "text\tlabel\na\t0\nb\nc\tmaybe\nd\t-\ne\t1\n", options: ReadingOptions(onBadRow: .skip))
        #expect(try texts(examples) == ["t text: a", "t text: e"])
        let file = examples.report.files[0]
        #expect(file.badRows == 2 && file.ignoredRows == 1 && file.examples == 2)
        #expect(file.firstBadRow == "s.tsv:3: the row has 1 column, but the file has 2")
        expectFailure(.badData, "z.tsv has no usable row (first bad row: z.tsv:2: the row has 1 column") {
            try self.examples("z.tsv", "text\tlabel\nb\n", options: ReadingOptions(onBadRow: .skip))
        }
    }

    @Test func `JSON strings, numbers and booleans are read`() throws {
        let examples = try examples(
            "j.jsonl",
            #"{"text": "a \"b\" \u00e9\ud83d\ude00", "label": 0, "more": {"x": [1, null]}}"# + "\n"
                + #"{"label": true, "text": 12.50}"# + "\r\n" + #"{"label": "1", "text": "line\nbreak"}"#,
            format: .jsonLines)
        #expect(try texts(examples) == ["t text: a \"b\" é😀", "t text: 12.50", "t text: line\nbreak"])
        #expect(try (0..<3).map { try examples.example(.train, $0).target } == ["a", "c", "b"])
    }

    @Test(arguments: [
        ("{\"text\": \"a\", \"label\": 0", "not a JSON object"), ("[1]", "not a JSON object"),
        ("", "not a JSON object"),
        ("{\"text\": \"a\", \"label\": 0} x", "text after the object"),
        ("{\"text\": \"a\", \"label\": 0,}", "not a JSON object"), ("{'text': 'a'}", "not a JSON object"),
        ("{\"text\": \"a\", \"label\": 01}", "not a JSON object"), ("{\"label\": 0}", "has no key \"text\""),
        ("{\"text\": null, \"label\": 0}", "\"text\" is no text"),
        ("{\"text\": [], \"label\": 0}", "\"text\" is no text"),
        ("{\"text\": \"a\", \"text\": \"b\", \"label\": 0}", "\"text\" occurs twice"),
        ("{\"text\": \"a\", \"label\": 0.0}", "the label \"0.0\" is none of"),
    ])
    func `bad JSON lines are refused with file, line and reason`(line: String, reason: String) {
        let good = "{\"text\": \"a\", \"label\": 0}\n"
        expectFailure(.badData, "b.jsonl:2: ", reason) {
            try examples("b.jsonl", good + line + "\n" + good, format: .jsonLines)
        }
    }

    @Test(arguments: [
        ("nan", "not a number"), ("", "not a number"), ("3,5", "not a number"), ("0x1", "not a number"),
        ("inf", "not a number"), ("1e999", "not a number"), ("5.1", "outside of 0.0 to 5.0"),
        ("-0.1", "outside of 0.0 to 5.0"),
    ])
    func `scores that are none are refused`(score: String, reason: String) throws {
        let path = try directory.write("g.tsv", "text\tscore\na\t1e0\nb\t\(score)\n")
        expectFailure(.badData, "g.tsv:3: the score \"\(score)\"".replacing("\"", with: ""), reason) {
            do {
                return try TaskExamples(
                    TaskDefinition(
                        name: "t", format: .tsv(hasHeader: true), fields: [Field("text")], label: .named("score"),
                        answers: .grades(minimum: 0, maximum: 5, step: 1, decimals: 0), metrics: [.pearson],
                        splits: SplitDefinition.splits(train: [path])))
            } catch let failure as Failure {
                throw Failure(failure.code, failure.message.replacing("\"", with: ""))
            }
        }
    }
}
