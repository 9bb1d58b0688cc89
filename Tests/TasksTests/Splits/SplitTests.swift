import Failures
import Foundation
import Tasks
import TestSupport
import Testing

@Suite struct SplitTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("train.tsv", rows(1...100))
        try directory.write("dev.tsv", rows(201...251))
    }

    private func rows(_ numbers: ClosedRange<Int>) -> String { numbers.map { "row \($0)\t\($0 % 2)\n" }.joined() }

    private func task(_ splits: [SplitDefinition], name: String = "t") throws -> TaskDefinition {
        try TaskDefinition(
            name: name, format: .tsv(hasHeader: false), fields: [Field("text", column: .index(0))], label: .index(1),
            template: "{text}", answers: .classes(["a", "b"]), labels: LabelMap(classes: ["0", "1"]),
            metrics: [.accuracy], splits: splits)
    }

    private func texts(_ examples: TaskExamples, _ split: SplitName) throws -> [String] {
        try (0..<examples.count(split)).map { try examples.example(split, $0).source }
    }

    private var train: String { directory.file("train.tsv") }
    private var dev: String { directory.file("dev.tsv") }

    @Test func `halves are disjoint, complete, in file order, and validation has the smaller one`() throws {
        let examples = try TaskExamples(task(SplitDefinition.splits(train: [train], validation: [dev])))
        let (first, second) = (try texts(examples, .validation), try texts(examples, .test))
        #expect(first.count == 25 && second.count == 26)
        #expect(Set(first + second) == Set((201...251).map { "row \($0)" }))
        #expect(first == first.sorted() && second == second.sorted())
        #expect(first != (201...225).map { "row \($0)" }, "the half is random")
    }

    @Test func `the seed and the task's name decide the half, and nothing else`() throws {
        let splits = SplitDefinition.splits(train: [train], validation: [dev])
        func half(_ name: String, _ seed: UInt64) throws -> [String] {
            try texts(TaskExamples(task(splits, name: name), options: ReadingOptions(splitSeed: seed)), .validation)
        }
        #expect(try half("t", 1) == half("t", 1))
        #expect(try half("t", 1) != half("t", 2))
        #expect(try half("t", 1) != half("u", 1))
    }

    @Test func `held-out rows leave training`() throws {
        let examples = try TaskExamples(task(SplitDefinition.splits(train: [train], test: [dev], holdOut: 30)))
        let (kept, held) = (try texts(examples, .train), try texts(examples, .validation))
        #expect(kept.count == 70 && held.count == 30 && examples.count(.test) == 51)
        #expect(Set(kept + held) == Set((1...100).map { "row \($0)" }))
        #expect(held != (1...30).map { "row \($0)" }, "the rows are random")
    }

    @Test func `test rows come after the validation rows in the same random order, which keep their place`() throws {
        let one = try TaskExamples(task(SplitDefinition.splits(train: [train], holdOut: 30)))
        let two = try TaskExamples(task(SplitDefinition.splits(train: [train], holdOut: 30, holdOutTest: 20)))
        let all = try TaskExamples(task(SplitDefinition.splits(train: [train], holdOut: 50)))
        #expect(try texts(one, .validation) == texts(two, .validation))
        let (validation, test, kept) = (
            try texts(two, .validation), try texts(two, .test), try texts(two, .train)
        )
        #expect(test.count == 20 && kept.count == 50)
        #expect(try texts(all, .train) == kept)
        #expect(try Set(validation + test) == Set(texts(all, .validation)))
        #expect(Set(validation).isDisjoint(with: test))
        expectFailure(.badData, "holding 71 of its 100 training rows out as test leaves no training examples") {
            try TaskExamples(task(SplitDefinition.splits(train: [train], holdOut: 30, holdOutTest: 71)))
        }
    }

    @Test func `splits that leave nothing are refused`() throws {
        expectFailure(.badData, "holding 100 of its 100 training rows out as validation leaves no training examples") {
            try TaskExamples(task(SplitDefinition.splits(train: [train], test: [dev], holdOut: 100)))
        }
        let one = try directory.write("one.tsv", "x\t0\n")
        expectFailure(.badData, "task \"t\" has no validation examples") {
            try TaskExamples(task(SplitDefinition.splits(train: [train], validation: [one])))
        }
    }

    @Test func `a row in two splits is refused, under whatever name its file goes`() throws {
        expectFailure(.badData, "line 1 of", "train.tsv is in both train and test, a split that leaks") {
            try TaskExamples(task(SplitDefinition.splits(train: [train], validation: [dev], test: [train])))
        }
        let copy = try directory.write("copy.tsv", rows(201...251))
        expectFailure(.badData, "is in both validation and test, a split that leaks") {
            try TaskExamples(task(SplitDefinition.splits(train: [train], validation: [dev], test: [copy])))
        }
        let link = directory.file("link.tsv")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: dev)
        expectFailure(.badData, "is in both validation and test, a split that leaks") {
            try TaskExamples(task(SplitDefinition.splits(train: [train], validation: [dev], test: [link])))
        }
        let half = [
            SplitDefinition(.train, .files([train])), SplitDefinition(.validation, .firstHalf(of: [dev])),
            SplitDefinition(.test, .files([dev])),
        ]
        expectFailure(.badData, "is in both validation and test") { try TaskExamples(task(half)) }
        expectFailure(.badConfiguration, "names the file", "twice") {
            try TaskExamples(task(SplitDefinition.splits(train: [train, train], validation: [dev])))
        }
    }

    @Test func `several files of a split follow each other`() throws {
        let more = try directory.write("more.tsv", rows(301...303))
        let examples = try TaskExamples(task(SplitDefinition.splits(train: [train, more], validation: [dev])))
        #expect(try texts(examples, .train).suffix(4) == ["row 100", "row 301", "row 302", "row 303"])
        let last = try examples.example(.train, 102)
        #expect(last.file == 1 && last.line == 3)
    }

    @Test func `equal text across splits is counted, and leaves training on request`() throws {
        let test = try directory.write("test.tsv", rows(99...102) + rows(201...201) + rows(99...99))
        let splits = SplitDefinition.splits(train: [train], validation: [dev], test: [test])
        let kept = try TaskExamples(task(splits))
        #expect(kept.count(.train) == 100 && kept.report.droppedDuplicates == 0)
        let equal = kept.report.splits.map { $0.equalText.map { "\($0.with) \($0.examples)" } }
        #expect(equal == [[], ["train 0"], ["train 3", "validation 1"]])
        let dropped = try TaskExamples(task(splits), options: ReadingOptions(dropDuplicates: true))
        #expect(dropped.count(.train) == 98 && dropped.report.droppedDuplicates == 2)
        #expect(try texts(dropped, .train).last == "row 98")
        #expect(dropped.count(.test) == 6 && dropped.report.splits[0].examples == 98)
        // Dropped rows are not reported any more; remaining ones are.
        let left = dropped.report.splits.map { $0.equalText.map { "\($0.with) \($0.examples)" } }
        #expect(left == [[], ["train 0"], ["train 0", "validation 1"]])
        let same = try directory.write("same.tsv", rows(1...100) + rows(1...1))
        expectFailure(.badData, "every training text occurs in another split") {
            try TaskExamples(
                task(SplitDefinition.splits(train: [train], validation: [dev], test: [same])),
                options: ReadingOptions(dropDuplicates: true))
        }
    }
}
