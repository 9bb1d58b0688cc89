import Foundation
import Tasks
import TestSupport
import Testing
import Text

/// Figures of GLUE's own files with T5's vocabulary, which a script computed with SentencePiece's Python package. Halves of a file
/// are random, so what the script counted in a file is compared with the sum of the file's splits.
@Suite(.enabled(if: ReferenceMaterial.directory != nil, "needs GLUE and T5's vocabulary, not distributed here"))
struct RealGLUEStatisticsTests {
    /// The figures of a file.
    struct File: Sendable {
        var task: String
        var isTraining: Bool
        var examples: Int
        var read: Int
        var whole: Int
        var cut: Int
        var unknown: Int
        /// Examples of each label in class order; empty for scores.
        var labels: [Int]
    }

    private static let files = [
        File(
            task: "cola", isTraining: true, examples: 8551, read: 131_517, whole: 131_517, cut: 0, unknown: 6,
            labels: [2528, 6023]),
        File(
            task: "cola", isTraining: false, examples: 1043, read: 16358, whole: 16358, cut: 0, unknown: 0,
            labels: [322, 721]),
        File(
            task: "sst2", isTraining: true, examples: 67349, read: 1_467_007, whole: 1_467_007, cut: 0, unknown: 1927,
            labels: [29780, 37569]),
        File(
            task: "sst2", isTraining: false, examples: 872, read: 32101, whole: 32101, cut: 0, unknown: 37,
            labels: [428, 444]),
        File(
            task: "mrpc", isTraining: true, examples: 3668, read: 243_497, whole: 243_497, cut: 0, unknown: 77,
            labels: [1194, 2474]),
        File(
            task: "mrpc", isTraining: false, examples: 408, read: 27138, whole: 27138, cut: 0, unknown: 10,
            labels: [129, 279]),
        File(
            task: "stsb", isTraining: true, examples: 5749, read: 232_134, whole: 232_227, cut: 5, unknown: 76,
            labels: []),
        File(
            task: "stsb", isTraining: false, examples: 1500, read: 65183, whole: 65183, cut: 0, unknown: 22, labels: []),
        File(
            task: "rte", isTraining: true, examples: 2490, read: 195_618, whole: 214_331, cut: 471, unknown: 44,
            labels: [1249, 1241]),
        File(
            task: "rte", isTraining: false, examples: 277, read: 21174, whole: 23292, cut: 51, unknown: 2,
            labels: [146, 131]),
        File(
            task: "qnli", isTraining: true, examples: 10293, read: 633_496, whole: 636_228, cut: 101, unknown: 630,
            labels: [5173, 5120]),
        File(
            task: "qnli", isTraining: false, examples: 5463, read: 342_737, whole: 344_464, cut: 84, unknown: 256,
            labels: [2702, 2761]),
        File(
            task: "wnli", isTraining: true, examples: 635, read: 31108, whole: 31108, cut: 0, unknown: 0,
            labels: [323, 312]),
        File(
            task: "wnli", isTraining: false, examples: 71, read: 3510, whole: 3510, cut: 0, unknown: 0,
            labels: [40, 31]),
    ]

    private static let statistics = Result {
        let directory = try TemporaryDirectory()
        let vocabulary = try Vocabulary(modelPath: ReferenceMaterial.path("data/t5_vocab/spiece.model"))
        let names = files.map(\.task).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        let tasks = try GLUE.tasks(names, directory: ReferenceMaterial.path("data/glue"))
        let cache = try TokenCache.openOrBuild(
            tasks: tasks, vocabulary: vocabulary, directory: directory.path, threads: 2)
        return DataStatistics(cache.tasks, of: tasks, maxSource: 128)
    }

    private func task(_ name: String) throws -> TaskStatistics {
        try #require(try Self.statistics.get().tasks.first { $0.task == name })
    }

    @Test(arguments: files)
    func `the sums of each file`(file: File) throws {
        let task = try task(file.task)
        // These two hold 1,000 training rows out, the others halve dev.
        let holdsOut = ["sst2", "qnli"].contains(file.task)
        let splits = task.splits.filter { split in
            file.isTraining
                ? split.split == .train || (holdsOut && split.split == .validation)
                : split.split == .test || (!holdsOut && split.split == .validation)
        }
        func sum(_ figure: (SplitStatistics) -> Int) -> Int { splits.reduce(0) { $0 + figure($1) } }
        #expect(sum(\.examples) == file.examples)
        #expect(sum(\.sources.tokens.total) == file.read && sum(\.sources.whole.total) == file.whole)
        #expect(sum(\.sources.cut.count) == file.cut && sum(\.sources.unknownTokens.count) == file.unknown)
        #expect(file.labels.indices.map { label in sum { $0.labels?[label].count ?? 0 } } == file.labels)
        // Answers are one digit, or a grade with one decimal.
        #expect(splits.allSatisfy { $0.answers.longest.map { $0 <= 4 } == true })
    }

    @Test func `lengths, losses and scores of whole files`() throws {
        let rte = try #require(try task("rte").split(.train))
        #expect(rte.sources.lost.map(\.part.text) == ["sentence2"])
        #expect(rte.sources.lost.map(\.count) == [392] && rte.sources.lost[0].share == 392.0 / 2490)
        #expect(rte.sources.cut.share == 471.0 / 2490)
        #expect(rte.sources.whole.longest == 317 && rte.sources.whole.percentile95 == 182)
        #expect(rte.sources.tokens.longest == 128 && rte.sources.tokens.percentile95 == 128)
        #expect(rte.sources.withUnknown.count == 27 && rte.sources.unknownTokens.share == 44.0 / 211_841)
        let cola = try #require(try task("cola").split(.train))
        #expect(cola.sources.tokens.percentile95 == 25 && cola.sources.tokens.longest == 51)
        let mrpc = try #require(try task("mrpc").split(.train))
        #expect(mrpc.sources.tokens.percentile95 == 90 && mrpc.sources.tokens.longest == 127)
        let scores = try #require(try task("stsb").split(.train)?.scores)
        #expect(scores.minimum == 0 && scores.maximum == 5 && scores.quartiles == [1.5, 3, 3.8])
        #expect(abs(scores.mean - 2.7009987823969284) < 1e-12)
    }

    @Test func `repeated texts and those in two splits`() throws {
        func repeated(_ name: String) throws -> [Int] {
            let train = try #require(try task(name).split(.train))
            return [train.repeated.count, train.repeated.otherAnswer]
        }
        #expect(try repeated("cola") == [19, 22] && repeated("stsb") == [43, 8] && repeated("rte") == [2, 0])
        #expect(try repeated("mrpc") == [0, 0] && repeated("wnli") == [0, 0])
        // Rows of dev with a text of train, and those of them with another answer there.
        func inTraining(_ name: String) throws -> [Int] {
            let equal = try task(name).splits.dropFirst().flatMap { $0.equalText.filter { $0.with == .train } }
            return [equal.reduce(0) { $0 + $1.count }, equal.reduce(0) { $0 + $1.otherAnswer }]
        }
        #expect(try inTraining("cola") == [16, 2] && inTraining("stsb") == [6, 1])
        #expect(try inTraining("rte") == [0, 0] && inTraining("mrpc") == [0, 0] && inTraining("wnli") == [0, 0])
        // 371 rows of SST-2's training file repeat a text; validation takes some of its rows.
        let sst2 = try task("sst2")
        let (train, validation) = (try #require(sst2.split(.train)), try #require(sst2.split(.validation)))
        #expect(validation.repeated.count == 0 && validation.equalText[0].count > 0)
        #expect(train.repeated.count + validation.equalText[0].count == 371)
        #expect(sst2.split(.test)?.equalText.map(\.count) == [0, 0])
    }
}
