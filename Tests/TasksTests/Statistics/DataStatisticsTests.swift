import Foundation
import Tensors
import TestSupport
import Testing
import Text

@testable import Tasks

/// Figures that were counted by hand.
@Suite struct DataStatisticsTests {
    private typealias Part = SplitStatistics.Part
    private let fixture: StatisticsFixture

    init() throws {
        fixture = try StatisticsFixture()
    }

    @Test func `every figure of small files is the one counted by hand`() throws {
        let task = try #require(try fixture.statistics([fixture.letters()]).tasks.first)
        #expect(task.task == "letters" && task.splits.map(\.split) == [.train, .validation, .test])
        #expect(task.files.map(\.name) == ["train.tsv", "validation.tsv", "test.tsv"])
        #expect(task.files.map(\.examples) == [8, 4, 3] && task.dropped.count == 0 && task.dropped.equalText.isEmpty)
        let train = try #require(task.split(.train))
        #expect(train.examples == 8)
        // Lengths: 4 4 4 3 13 3 3 3, of which the fifth is cut to 8.
        #expect(train.sources.whole.total == 37 && train.sources.whole.mean == 4.625)
        #expect(train.sources.whole.percentile95 == 13 && train.sources.whole.longest == 13)
        #expect(train.sources.tokens.total == 32 && train.sources.tokens.mean == 4)
        #expect(train.sources.tokens.percentile95 == 8 && train.sources.tokens.longest == 8)
        #expect(train.sources.cut == Part(1, of: 8) && train.sources.cut.share == 0.125)
        // 37 tokens without the 8 end tokens; the two characters without a piece are one token.
        #expect(train.sources.unknownTokens == Part(1, of: 29) && train.sources.unknownCharacters == Part(2, of: 17))
        #expect(train.sources.withUnknown == Part(1, of: 8) && train.sources.withAddedTokens == Part(0, of: 8))
        #expect(train.sources.lost.isEmpty)
        // Seven answers of three tokens, one of four.
        #expect(train.answers.total == 25 && train.answers.mean == 3.125)
        #expect(train.answers.percentile95 == 4 && train.answers.longest == 4)
        #expect(
            train.labels == [
                LabelStatistics(label: "x", answer: "0", count: 4, share: 0.5),
                LabelStatistics(label: "y", answer: "1", count: 3, share: 0.375),
                LabelStatistics(label: "z", answer: "01", count: 1, share: 0.125),
            ])
        #expect(train.scores == nil)
        // "ab" is there three times, once with another label; "c" twice with the same.
        #expect(train.repeated == .init(count: 3, share: 0.375, otherAnswer: 3) && train.equalText.isEmpty)

        let validation = try #require(task.split(.validation))
        #expect(validation.examples == 4 && validation.sources.tokens.total == 13)
        #expect(validation.sources.tokens == validation.sources.whole)
        #expect(validation.labels?.map(\.count) == [2, 2, 0] && validation.labels?.map(\.share) == [0.5, 0.5, 0])
        #expect(validation.repeated == .init(count: 1, share: 0.25, otherAnswer: 2))
        // "ab" and one of the "c" have another label in training, too.
        #expect(equal(validation) == ["train 3 0.75 2"])

        let test = try #require(task.split(.test))
        #expect(test.examples == 3 && test.sources.tokens.total == 3 + 5 + 4)
        #expect(test.sources.withAddedTokens == Part(1, of: 3))
        #expect(test.repeated == .init(count: 0, share: 0, otherAnswer: 0))
        #expect(equal(test) == ["train 0 0.0 0", "validation 1 \(1.0 / 3) 1"])
    }

    private func equal(_ split: SplitStatistics) -> [String] {
        split.equalText.map { "\($0.with) \($0.count) \($0.share) \($0.otherAnswer)" }
    }

    @Test func `rows that are dropped are counted by the split that has their text`() throws {
        let task = try #require(try fixture.statistics([fixture.letters()], dropDuplicates: true).tasks.first)
        // The five rows of "ab" and "c"; one of "ab" has the label that validation has, too.
        #expect(task.dropped.count == 5 && task.dropped.first == "train.tsv:1")
        let parts = task.dropped.equalText.map { "\($0.with) \($0.count) \($0.share) \($0.otherAnswer)" }
        #expect(parts == ["validation 5 0.625 4", "test 0 0.0 0"])
        let train = try #require(task.split(.train))
        #expect(train.examples == 3 && train.repeated == .init(count: 0, share: 0, otherAnswer: 0))
        #expect(train.sources.whole.total == 19 && train.labels?.map(\.count) == [2, 0, 1])
        #expect(try equal(#require(task.split(.validation))) == ["train 0 0.0 0"])
        #expect(try equal(#require(task.split(.test))) == ["train 0 0.0 0", "validation 1 \(1.0 / 3) 1"])
    }

    @Test func `scores have their distribution, and equal grades are equal answers`() throws {
        let statistics = try fixture.statistics([fixture.letters(), fixture.grades()])
        #expect(statistics.maxSource == 8 && statistics.tasks.map(\.task) == ["letters", "grades"])
        let train = try #require(statistics.tasks[1].splits.first)
        #expect(statistics.tasks[1].splits.count == 1 && train.labels == nil)
        let scores = try #require(train.scores)
        #expect(scores.minimum == 0 && scores.maximum == 5)
        #expect(abs(scores.mean - 12.1 / 6) < 1e-15)
        // Sorted 0 0.5 1.5 2.5 2.6 5: the second, third and fifth.
        #expect(scores.quartiles == [0.5, 1.5, 2.6])
        // 2.5 and 2.6 are the same grade, 0 and 0.5 are not.
        #expect(train.repeated == .init(count: 2, share: 1.0 / 3, otherAnswer: 2))
    }

    @Test(arguments: [([], nil), ([7], 7), (Array(1...20), 19), (Array(1...21), 20), ([5, 0, 5, 5], 5)])
    func `the 95th percentile is a length that as many texts do not exceed`(lengths: [Int], expected: Int?) {
        let figures = TokenLengths(lengths.shuffled())
        #expect(figures.percentile95 == expected && figures.longest == lengths.max())
        #expect(figures.total == lengths.reduce(0, +))
        #expect(figures.mean == (lengths.isEmpty ? nil : Double(figures.total) / Double(lengths.count)))
    }

    @Test func `scores that are enormous have a mean`() {
        #expect(ScoreStatistics([]) == nil)
        #expect(ScoreStatistics([1e308, 1e308, 1e308, 1e308])?.mean == 1e308)
        #expect(ScoreStatistics([4])?.quartiles == [4, 4, 4])
    }

    /// The reader of files refuses an empty split, but a cache may have one.
    @Test func `splits without examples have counts and shares of zero and no other figure`() throws {
        let builder = try TokenCacheBuilder(
            tasks: [fixture.letters(), fixture.grades()], vocabulary: fixture.vocabulary,
            options: TokenCacheOptions(maxSource: 8))
        let units = builder.units.filter { $0.task == 0 && $0.split == 0 }
        let tokens = try units.map(builder.tokenise)
        let path = fixture.directory.file("empty.cache")
        try builder.write(TokenCacheContent(builder, units, tokens), to: path)
        let statistics = try DataStatistics(TokenCache(path: path).tasks, of: [], maxSource: 8)
        let test = try #require(statistics.tasks[0].split(.test))
        #expect(
            test.examples == 0 && test.labels?.map(\.share) == [0, 0, 0] && test.labels?.map(\.count) == [0, 0, 0])
        #expect(test.sources.cut == Part(0, of: 0) && test.sources.unknownTokens.share == 0)
        #expect(test.sources.tokens == TokenLengths([]) && test.answers.mean == nil && test.answers.longest == nil)
        #expect(statistics.tasks[1].splits[0].scores == nil && statistics.tasks[1].splits[0].labels == nil)
        #expect(statistics.tasks[0].split(.train)?.examples == 8)
        // Foundation refuses to encode what is no number.
        let json = String(decoding: try StableJSON.document(statistics, "figures"), as: UTF8.self)
        #expect(!json.lowercased().contains("nan") && !json.contains("inf") && !json.contains("null"))
        #expect(try JSONDecoder().decode(DataStatistics.self, from: Data(json.utf8)) == statistics)
    }

    @Test func `figures do not depend on threads, nor on whether the cache was built or opened`() throws {
        let tasks = [try fixture.letters(), try fixture.grades()]
        let built = try fixture.statistics(tasks, threads: 3)
        #expect(try fixture.statistics(tasks) == built)
        let other = try StatisticsFixture()
        #expect(try other.statistics([other.letters(), other.grades()]) == built)
    }
}
