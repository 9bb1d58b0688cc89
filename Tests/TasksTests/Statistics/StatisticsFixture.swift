import TestSupport
import Text

@testable import Tasks

/// Two tasks whose figures can be counted by hand. Every character has a piece of its own, so a source has a token for the
/// space before it, one for each character, and the end token.
struct StatisticsFixture {
    let directory: TemporaryDirectory
    let vocabulary: Vocabulary

    init() throws {
        directory = try TemporaryDirectory()
        try VocabularyTrainer.train(
            sentences: ["a b c 0 1 2 3 4 5 ."], pieces: 14, to: directory.file("spiece.model"))
        vocabulary = try Vocabulary(modelPath: directory.file("spiece.model"))
        try directory.write("train.tsv", "ab\tx\nab\tx\nab\ty\nc\ty\na b c a b c\tx\n漢漢\tx\nb\tz\nc\ty\n")
        try directory.write("validation.tsv", "ab\ty\nc\ty\nc\tx\na\tx\n")
        try directory.write("test.tsv", "a\tz\nb b\tx\na<extra_id_0>\ty\n")
        try directory.write("scores.tsv", "a\t2.6\nb\t0\na\t2.5\nc\t5\nab\t1.5\nb\t0.5\n")
    }

    /// A task with three classes, of which the last one has the longest answer.
    func letters() throws -> TaskDefinition {
        try definition(
            "letters", answers: .classes(["0", "1", "01"]), labels: ["x", "y", "z"],
            SplitDefinition.splits(
                train: [directory.file("train.tsv")], validation: [directory.file("validation.tsv")],
                test: [directory.file("test.tsv")]))
    }

    /// A task with grades and without other splits than training.
    func grades() throws -> TaskDefinition {
        try definition(
            "grades", answers: .grades(minimum: 0, maximum: 5, step: 0.5, decimals: 1), labels: [],
            SplitDefinition.splits(train: [directory.file("scores.tsv")]))
    }

    private func definition(
        _ name: String, answers: AnswerSpace, labels: [String], _ splits: [SplitDefinition]
    ) throws -> TaskDefinition {
        try TaskDefinition(
            name: name, format: .tsv(hasHeader: false, columns: 2), fields: [Field("text", column: .index(0))],
            label: .index(1), template: "{text}", answers: answers, labels: LabelMap(classes: labels),
            metrics: labels.isEmpty ? [.pearson] : [.accuracy], splits: splits)
    }

    /// The figures of tasks; sources of more than 8 tokens are cut.
    func statistics(
        _ tasks: [TaskDefinition], dropDuplicates: Bool = false, threads: Int = 1
    ) throws -> DataStatistics {
        let options = TokenCacheOptions(reading: ReadingOptions(dropDuplicates: dropDuplicates), maxSource: 8)
        let cache = try TokenCache.openOrBuild(
            tasks: tasks, vocabulary: vocabulary, options: options, directory: directory.path, threads: threads)
        return DataStatistics(cache.tasks, of: tasks, maxSource: options.maxSource)
    }
}
