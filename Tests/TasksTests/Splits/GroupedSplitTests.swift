import Failures
import Tasks
import TestSupport
import Testing

@Suite struct GroupedSplitTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("train.tsv", rows(0..<90))
        try directory.write("dev.tsv", rows(100..<160))
    }

    /// Groups of three rows that do not follow one another.
    private func rows(_ numbers: Range<Int>) -> String {
        let third = numbers.count / 3
        return numbers.map { "row \($0)\t\($0 % 2)\tq\(($0 - numbers.lowerBound) % third)\n" }.joined()
    }

    private func examples(_ splits: [SplitDefinition], group: Column? = .index(2)) throws -> TaskExamples {
        try TaskExamples(
            TaskDefinition(
                name: "t", format: .tsv(hasHeader: false, columns: 3), fields: [Field("text", column: .index(0))],
                label: .index(1), group: group, template: "{text}", answers: .classes(["a", "b"]),
                labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy], splits: splits))
    }

    private func groups(_ examples: TaskExamples, _ split: SplitName, from first: Int, of third: Int) throws -> [Int] {
        try (0..<examples.count(split)).map { index in
            try (Int(examples.example(split, index).source.dropFirst(4))! - first) % third
        }
    }

    @Test func `halves and rows that are held out consist of whole groups`() throws {
        let halves = try examples(
            SplitDefinition.splits(train: [directory.file("train.tsv")], validation: [directory.file("dev.tsv")]))
        let (a, b) = (
            try groups(halves, .validation, from: 100, of: 20), try groups(halves, .test, from: 100, of: 20)
        )
        #expect(a.count == 30 && b.count == 30 && Set(a).isDisjoint(with: b))

        // Ten groups have thirty rows, and nine have twenty-seven.
        for (count, expected) in [(30, 30), (28, 30), (1, 3)] {
            let held = try examples(
                SplitDefinition.splits(train: [directory.file("train.tsv")], holdOut: count))
            let (kept, taken) = (
                try groups(held, .train, from: 0, of: 30), try groups(held, .validation, from: 0, of: 30)
            )
            #expect(taken.count == expected && kept.count == 90 - expected && Set(kept).isDisjoint(with: taken))
        }
        expectFailure(.badData, "holding 88 of its 90 training rows out as validation leaves no training examples") {
            try examples(SplitDefinition.splits(train: [directory.file("train.tsv")], holdOut: 88))
        }
    }

    @Test func `without groups rows are drawn as before`() throws {
        let plain = try examples(
            SplitDefinition.splits(train: [directory.file("train.tsv")], holdOut: 30), group: nil)
        let taken = try groups(plain, .validation, from: 0, of: 30)
        #expect(taken.count == 30 && Set(taken).count > 10)
    }
}
