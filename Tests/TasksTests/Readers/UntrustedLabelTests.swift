import Failures
import Testing

@testable import Tasks
@testable import Tensors

@Suite struct UntrustedLabelTests {
    /// A comparison of this label with those of the task would take minutes.
    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func `labels and columns of very many marks are refused at once`(isTable: Bool) throws {
        let marks = (0..<400_000).reduce(into: "") { $0.unicodeScalars.append($1 % 2 == 0 ? "\u{301}" : "\u{316}") }
        let definition = try TaskDefinition(
            name: "t", format: isTable ? .tsv(hasHeader: true) : .jsonLines, fields: [Field("a")],
            label: .named("l"), answers: .classes(["0", "1"]), labels: LabelMap(classes: ["\u{301}\u{316}x", "y"]),
            metrics: [.accuracy], splits: SplitDefinition.splits(train: ["f"]))
        let text = isTable ? "l\ta\n\(marks)\tb\n" : "{\"l\":\"\(marks)\",\"a\":\"b\"}\n"
        var reader = try ExampleReader(
            try Array(text.utf8).withUnsafeBytes { try TextFile(MappedFile(copying: $0, path: "f")) }, definition)
        #expect(reader.next() == .bad("the label has more than 30 combining marks in a row"))
        let header = try Array("l\ta\(marks)\n".utf8).withUnsafeBytes {
            try TextFile(MappedFile(copying: $0, path: "f"))
        }
        expectFailure(.badData, "f:1: ") {
            try TSVReader(header, hasHeader: true, columnCount: nil, columns: [.named("a\u{301}\u{316}")])
        }
    }

    /// Such a tab always ended a column of a row. For Swift the tab and its mark are one character.
    @Test func `a tab with a mark behind it ends a column of the header`() throws {
        let file = try Array("l\t\u{301}a\nx\ty\n".utf8).withUnsafeBytes {
            try TextFile(MappedFile(copying: $0, path: "f"))
        }
        var reader = try TSVReader(file, hasHeader: true, columnCount: nil, columns: [.named("\u{301}a")])
        var record = Record(valueCount: 1)
        #expect(reader.next(&record) == .complete)
        #expect(Array(record[0]) == Array("y".utf8))
    }
}
