import Failures
import Foundation
import TestSupport
import Testing

@testable import Tasks

@Suite struct PackedFileTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// The bytes of a text that gzip has packed.
    private func packed(_ text: String) throws -> Data {
        let plain = try directory.write("plain", text)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-kf", plain]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return try Data(contentsOf: URL(fileURLWithPath: plain + ".gz"))
    }

    private func task(_ name: String, _ bytes: Data, _ format: TableFormat) throws -> TaskDefinition {
        try bytes.write(to: URL(fileURLWithPath: directory.file(name)))
        return try definition([name], format)
    }

    private func definition(_ names: [String], _ format: TableFormat) throws -> TaskDefinition {
        let paths = names.map(directory.file)
        return try TaskDefinition(
            name: "t", format: format, fields: [Field("text")], label: .named("label"), template: "{text}",
            answers: .classes(["a", "b"]), labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
            splits: SplitDefinition.splits(train: [paths[0]], validation: Array(paths.dropFirst())))
    }

    private func rows(_ task: TaskDefinition) throws -> [String] {
        let examples = try TaskExamples(task)
        return try (0..<examples.count(.train)).map {
            let example = try examples.example(.train, $0)
            return "\(example.line): \(example.source)"
        }
    }

    @Test func `every format may be packed`() throws {
        let expected = ["2: x", "3: y"]
        #expect(try rows(task("a.tsv.gz", packed("text\tlabel\nx\t0\ny\t1\n"), .tsv(hasHeader: true))) == expected)
        #expect(try rows(task("a.csv.gz", packed("text,label\nx,0\n\"y\",1\n"), .csv(hasHeader: true))) == expected)
        let objects = "{\"text\": \"x\", \"label\": 0}\n"
        #expect(try rows(task("a.jsonl.gz", packed(objects), .jsonLines)) == ["1: x"])
        // The bytes decide, not the name.
        #expect(try rows(task("a.jsonl", packed(objects), .jsonLines)) == ["1: x"])
    }

    @Test func `several members are one text, and zeros may follow`() throws {
        let table = TableFormat.tsv(hasHeader: true)
        let two = try packed("text\tlabel\nx\t0\ny") + packed("z\t1\n")
        #expect(try rows(task("two.gz", two, table)) == ["2: x", "3: yz"])
        #expect(try rows(task("zeros.gz", two + Data(count: 512), table)) == ["2: x", "3: yz"])
        // The second member's size, with which the first allocation is made, is smaller and larger than the text.
        let long = (0..<50_000).map { "row \($0)\t\($0 % 2)\n" }.joined()
        let examples = try TaskExamples(
            task("long.gz", packed("text\tlabel\n" + long) + packed("end\t1\n"), table))
        #expect(examples.count(.train) == 50_001)
        #expect(
            try examples.example(.train, 49_999).source == "row 49999"
                && examples.example(.train, 50_000).line == 50_002)
    }

    @Test func `what is cut off, damaged or no gzip file is refused`() throws {
        let table = TableFormat.tsv(hasHeader: true)
        let whole = try packed("text\tlabel\n" + (0..<1000).map { "row \($0)\t\($0 % 2)\n" }.joined())
        for length in [2, 9, 12, whole.count / 2, whole.count - 9, whole.count - 1] {
            expectFailure(
                .badData, "cut.gz is cut off: its gzip data has no end after \(length) bytes", "download it again"
            ) {
                try rows(task("cut.gz", whole.prefix(length), table))
            }
        }
        var damaged = whole
        damaged[whole.count / 2] ^= 0x10
        expectFailure(.badData, "bad.gz is damaged: its gzip data is wrong at byte") {
            try rows(task("bad.gz", damaged, table))
        }
        damaged = whole
        damaged[whole.count - 6] ^= 1
        expectFailure(.badData, "sum.gz is damaged", "incorrect data check") {
            try rows(task("sum.gz", damaged, table))
        }
        expectFailure(.badData, "more.gz has something behind its gzip data, at byte \(whole.count)") {
            try rows(task("more.gz", whole + Data("x".utf8), table))
        }
        expectFailure(.badData, "plain.tsv.gz is named .gz but is no gzip file") {
            try rows(task("plain.tsv.gz", Data("text\tlabel\nx\t0\n".utf8), table))
        }
        expectFailure(.badData, "empty.gz is empty; give a file with rows") {
            try rows(task("empty.gz", packed(""), table))
        }
        expectFailure(.badData, "bare.gz:3: the row has 1 column") {
            try rows(task("bare.gz", packed("text\tlabel\nx\t0\ny\n"), table))
        }
    }

    @Test func `a packed file and the same plain one leak into each other`() throws {
        let table = TableFormat.tsv(hasHeader: true)
        _ = try task("v.tsv.gz", packed("text\tlabel\nx\t0\ny\t1\n"), table)
        try directory.write("t.tsv", "text\tlabel\nx\t0\ny\t1\n")
        expectFailure(.badData, "is in both train and validation, a split that leaks") {
            try TaskExamples(definition(["t.tsv", "v.tsv.gz"], table))
        }
    }

    @Test func `a cache is that of the file on the disk`() throws {
        let fixture = try CacheFixture()
        let task = try task("a.tsv.gz", packed("text\tlabel\nx\t0\ny\t1\n"), .tsv(hasHeader: true))
        let cache = try TokenCache.openOrBuild(
            tasks: [task], vocabulary: fixture.vocabulary, directory: directory.path)
        #expect(cache.sources[0].splits[0].files.map(\.name) == ["a.tsv.gz"])
        #expect(try TokenCache.key(tasks: [task], vocabulary: fixture.vocabulary) == cache.key)
        #expect(cache.tasks[0].splits[0].count == 2)
    }
}
