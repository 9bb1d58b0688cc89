import Failures
import Foundation
import Tasks
import TestSupport
import Testing

@Suite struct CSVReaderTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func examples(
        _ content: String, hasHeader: Bool = true, onBadRow: BadRowPolicy = .fail
    ) throws -> TaskExamples {
        let path = try directory.write("t.csv", content)
        return try TaskExamples(
            TaskDefinition(
                name: "t", format: .csv(hasHeader: hasHeader, columns: hasHeader ? nil : 2),
                fields: [Field("text", column: hasHeader ? .named("text") : .index(0))],
                label: hasHeader ? .named("label") : .index(1), template: "{text}", answers: .classes(["a", "b"]),
                labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
                splits: SplitDefinition.splits(train: [path])), options: ReadingOptions(onBadRow: onBadRow))
    }

    private func rows(_ examples: TaskExamples) throws -> [String] {
        try (0..<examples.count(.train)).map {
            let example = try examples.example(.train, $0)
            return "\(example.line): \(example.source) -> \(example.target)"
        }
    }

    @Test func `quotes may hold commas, line ends and doubled quotes, and lines are counted through them`() throws {
        let read = try rows(
            examples(
                "\u{FEFF}label,\"text\"\r\n0,plain\r\n1,\"a, \"\"b\"\"\"\r\n0,\"two\nlines\r\nand three\"\n\"1\",\"\"\n0,\n1,last"
            ))
        #expect(
            read == [
                "2: plain -> a", "3: a, \"b\" -> b", "4: two\nlines\r\nand three -> a", "7:  -> b", "8:  -> a",
                "9: last -> b",
            ])
    }

    @Test func `a file may have no header, and then its first row counts`() throws {
        #expect(try rows(examples("x,0\n\"y,\",1\n", hasHeader: false)) == ["1: x -> a", "2: y, -> b"])
        expectFailure(.badData, "t.csv:2: the row has 1 column, but rows of this file have 2") {
            try examples("x,0\ny\n", hasHeader: false)
        }
    }

    @Test(arguments: [
        ("x\"y,0\n", "t.csv:4: column 1 has a quote but does not begin with one"),
        ("\"x\"y,0\n", "t.csv:4: column 1 has text behind the quote that closes it, in line 4"),
        ("\"x\ny\" ,0\n", "t.csv:4: column 1 has text behind the quote that closes it, in line 5"),
        ("x,\"0\n\n\n", "t.csv:4: the quote that opens column 2 is not closed"),
        ("x,0,\n", "t.csv:4: the row has 3 columns, but the file has 2"),
        ("x\n", "t.csv:4: the row has 1 column, but the file has 2"), ("\n", "t.csv:4: the row has 1 column"),
        ("\"x\n\",2\n", "t.csv:4: the label \"2\" is none of"),
    ])
    func `bad rows are refused with the line in which they begin, also behind quoted line ends`(
        row: String, reason: String
    ) {
        expectFailure(.badData, reason) { try examples("text,label\n\"a\nb\",1\n" + row + "c,0\n") }
    }

    @Test func `a quote that is never closed costs its own line alone`() throws {
        let read = try examples("text,label\nx,0\n\"open,1\ny,1\n\"z\nz\",0\n", onBadRow: .skip)
        // The quote of line 3 closes in line 5, with text behind it.
        #expect(try rows(read) == ["2: x -> a", "4: y -> b", "5: z\nz -> a"])
        #expect(read.report.files[0].badRows == 1 && read.report.files[0].rows == 4)
        let open = try examples("text,label\nx,0\n\"open,1\ny,1\n", onBadRow: .skip)
        #expect(try rows(open) == ["2: x -> a", "4: y -> b"])
    }

    /// Each such row is looked at to the end of the file at most once.
    @Test(.timeLimit(.minutes(1))) func `many bad quotes take time in proportion to the file`() throws {
        let lines = String(repeating: "\"a\"\"\n\"\"\"\"b\n\"c\n", count: 200_000)
        let read = try examples("text,label\nx,0\n" + lines, onBadRow: .skip)
        #expect(try rows(read) == ["2: x -> a"] && read.report.files[0].badRows > 200_000)
    }

    @Test func `files that are not what they should be are refused`() throws {
        expectFailure(.badData, "t.csv is empty") { try examples("") }
        expectFailure(.badData, "t.csv has no usable row") { try examples("text,label\n") }
        expectFailure(.badData, "t.csv:1: the header has no column \"text\" (it has \"a;b\")") {
            try examples("a;b\n1;2\n")
        }
        expectFailure(.badData, "t.csv:1: the lines end with a carriage return alone") {
            try examples("text,label\rx,0\r")
        }
        expectFailure(.badData, "t.csv:1: the quote that opens column 1 is not closed") {
            try examples("\"text,label\nx,0\n")
        }
        let path = directory.file("u.csv")
        try (Data("text,label\n\"a\n\",0\n\"".utf8) + [0xFF] + Data("\",1\n".utf8)).write(
            to: URL(fileURLWithPath: path))
        let definition = try TaskDefinition(
            name: "t", format: .csv(hasHeader: true), fields: [Field("text")], label: .named("label"),
            answers: .classes(["a", "b"]), labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
            splits: SplitDefinition.splits(train: [path]))
        expectFailure(.badData, "u.csv:4: the row is not UTF-8") { try TaskExamples(definition) }
    }

    /// Any texts that are written by the rules are read as they were.
    @Test func `what is written by the rules reads the same`() throws {
        var random = SystemRandomNumberGenerator()
        let parts = ["\"", ",", "\n", "\r\n", "\r", "a", "é", " ", "\"\"", "", "0"]
        let texts = (0..<500).map { _ in
            (0..<Int.random(in: 0...6, using: &random)).map { _ in parts.randomElement(using: &random)! }.joined()
        }
        let lines = texts.enumerated().map { index, text in
            let bare = !text.contains(where: { "\"\n\r,".unicodeScalars.contains($0.unicodeScalars.first!) })
            let quoted = "\"\(text.replacing("\"", with: "\"\""))\""
            return (bare && index % 2 == 0 ? text : quoted) + ",\(index % 2)" + (index % 3 == 0 ? "\r\n" : "\n")
        }
        let read = try examples("text,label\n" + lines.joined())
        #expect(read.count(.train) == texts.count)
        var line = 2
        for (index, text) in texts.enumerated() {
            let example = try read.example(.train, index)
            #expect(Array(example.source.utf8) == Array(text.utf8) && example.line == line)
            line += lines[index].utf8.count { $0 == 0x0A }
        }
    }
}
