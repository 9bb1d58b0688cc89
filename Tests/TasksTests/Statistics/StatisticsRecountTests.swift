import Foundation
import Tasks
import TestSupport
import Testing
import Text

/// The figures counted again from the texts, by other means.
@Suite struct StatisticsRecountTests {
    /// An example as the reader gives it, with its tokens.
    private struct Row {
        var source: String
        var target: String
        var gold: GoldAnswer
        var ids: [Int32]
        var answerLength: Int
    }

    private func rows(_ definition: TaskDefinition, _ vocabulary: Vocabulary) throws -> [(SplitName, [Row])] {
        let examples = try TaskExamples(definition)
        return try examples.splitNames.map { split in
            let rows = try (0..<examples.count(split)).map { index in
                let example = try examples.example(split, index)
                return Row(
                    source: example.source, target: example.target, gold: example.gold,
                    ids: try vocabulary.encode(example.source),
                    answerLength: try vocabulary.encode(example.target).count + 1)
            }
            return (split, rows)
        }
    }

    /// Rows whose text and another answer occur in `others`.
    private func disagreeing(_ rows: [Row], _ others: [Row]) -> Int {
        let answers = Dictionary(grouping: others, by: \.source).mapValues { Set($0.map(\.target)) }
        return rows.count { !answers[$0.source, default: []].subtracting([$0.target]).isEmpty }
    }

    private func expect(_ found: SplitStatistics, _ rows: [Row], earlier: [(SplitName, [Row])], maxSource: Int) {
        func check(_ found: TokenLengths, _ lengths: [Int], _ what: String) {
            let sorted = lengths.sorted()
            #expect(found.total == lengths.reduce(0, +), "\(what)")
            #expect(found.longest == sorted.last, "\(what)")
            // The first length after which at most 5 % are left.
            let percentile = sorted.indices.first { (sorted.count - 1 - $0) * 20 <= sorted.count }
            #expect(found.percentile95 == percentile.map { sorted[$0] }, "\(what)")
        }
        let whole = rows.map { $0.ids.count + 1 }
        check(found.sources.whole, whole, "whole")
        check(found.sources.tokens, whole.map { min($0, maxSource) }, "read")
        check(found.answers, rows.map(\.answerLength), "answers")
        #expect(found.examples == rows.count)
        #expect(found.sources.cut.count == whole.count { $0 > maxSource })
        #expect(found.sources.unknownTokens.count == rows.reduce(0) { $0 + $1.ids.count { $0 == 2 } })
        #expect(found.sources.withUnknown.count == rows.count { $0.ids.contains(2) })
        #expect(found.repeated.count == rows.count - Set(rows.map(\.source)).count)
        #expect(found.repeated.otherAnswer == disagreeing(rows, rows))
        #expect(found.equalText.map(\.with) == earlier.map(\.0))
        for (equal, (_, others)) in zip(found.equalText, earlier) {
            let texts = Set(others.map(\.source))
            #expect(equal.count == rows.count { texts.contains($0.source) })
            #expect(equal.otherAnswer == disagreeing(rows, others))
        }
        for (index, label) in (found.labels ?? []).enumerated() {
            #expect(label.count == rows.count { $0.gold == .label(index) })
        }
        #expect((found.labels == nil) == (found.scores != nil))
        if let labels = found.labels { #expect(labels.reduce(0) { $0 + $1.count } == rows.count) }
    }

    @Test(arguments: [10, 128])
    func `all tasks of GLUE's layout`(maxSource: Int) throws {
        let fixture = try CacheFixture()
        // Rows with the text of others, in each split and with each label.
        let header = "index\tsentence1\tsentence2\tlabel\n"
        let labels = ["entailment", "not_entailment"]
        func file(_ rows: Range<Int>) -> String {
            header + rows.map { "\($0)\tA \($0 % 7).\tB \($0 % 5)!\t\(labels[$0 * $0 % 3 % 2])\n" }.joined()
        }
        try fixture.glue.directory.write("RTE/train.tsv", file(0..<120))
        try fixture.glue.directory.write("RTE/dev.tsv", file(121..<180))
        let options = TokenCacheOptions(maxSource: maxSource)
        let statistics = try DataStatistics(
            fixture.open(options: options).tasks, of: fixture.tasks(), maxSource: maxSource)
        for (definition, task) in zip(try fixture.tasks(), statistics.tasks) {
            let rows = try rows(definition, fixture.vocabulary)
            #expect(task.task == definition.name && task.splits.map(\.split) == rows.map(\.0))
            for (index, split) in task.splits.enumerated() {
                expect(split, rows[index].1, earlier: Array(rows[..<index]), maxSource: maxSource)
            }
        }
        // Without these the comparison would be of zeros.
        let rte = try #require(statistics.tasks.first { $0.task == "rte" })
        #expect(rte.splits.allSatisfy { $0.repeated.count > 0 && $0.repeated.otherAnswer > 0 })
        #expect(rte.splits[2].equalText.allSatisfy { $0.count > 0 && $0.otherAnswer > 0 })
        #expect((statistics.tasks.reduce(0) { $0 + $1.splits[0].sources.cut.count } > 0) == (maxSource == 10))
    }
}
