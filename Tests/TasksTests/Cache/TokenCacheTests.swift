import Failures
import Foundation
import Tasks
import Tensors
import TestSupport
import Testing
import Text

@Suite struct TokenCacheTests {
    let fixture: CacheFixture

    init() throws {
        fixture = try CacheFixture()
    }

    @Test func `the cache holds every example as the reader and the vocabulary give it`() throws {
        let cache = try fixture.open(threads: 2)
        for definition in try fixture.tasks() {
            let examples = try TaskExamples(definition)
            let task = try cache.task(definition.name)
            #expect(task.metrics == definition.metrics && task.answers == definition.answers)
            #expect(task.splits.map(\.name) == examples.splitNames)
            for split in task.splits {
                #expect(split.count == examples.count(split.name) && split.count > 0)
                for index in 0..<split.count {
                    let example = try examples.example(split.name, index)
                    let same =
                        try Array(split.source(index)) == fixture.vocabulary.encode(example.source) + [1]
                        && Array(split.target(index)) == fixture.vocabulary.encode(example.target) + [1]
                        && split.gold(index) == example.gold && split.origin(index) == (example.file, example.line)
                    #expect(same, "\(definition.name) \(split.name) \(index)")
                }
                #expect(split.longestSource == (0..<split.count).map { split.source($0).count }.max())
            }
            #expect(task.longestTarget == task.targetIDs.map(\.count).max())
        }
        expectFailure(.badConfiguration, "no task \"cb\"", "cola, sst2") { try cache.task("cb") }
    }

    @Test func `the bytes do not depend on threads or on where the data lies`() throws {
        let first = fixture.directory.file("one"), second = fixture.directory.file("three")
        let moved = try GLUEFixture()
        let a = try TokenCacheBuilder(tasks: fixture.tasks(), vocabulary: fixture.vocabulary, threads: 1)
        let b = try TokenCacheBuilder(
            tasks: GLUE.tasks(directory: moved.path), vocabulary: fixture.vocabulary, threads: 3)
        #expect(a.key == b.key)
        try a.build(at: first)
        try b.build(at: second)
        #expect(try Data(contentsOf: URL(fileURLWithPath: first)) == Data(contentsOf: URL(fileURLWithPath: second)))
    }

    @Test func `long sources are cut, keep EOS, and are counted`() throws {
        let whole = try fixture.open()
        let cut = try fixture.open(options: TokenCacheOptions(maxSource: 10))
        let long = try #require(try whole.task("mrpc").split(.train))
        let short = try #require(try cut.task("mrpc").split(.train))
        #expect(long.longestSource > 10)
        #expect(Array(short.source(0)) == Array(long.source(0).prefix(9)) + [1])
        #expect(try cut.task("mrpc").report.splits[0].truncatedSources == 2)
        #expect(try whole.task("mrpc").report.splits[0].truncatedSources == 0)
        expectFailure(.badConfiguration, "at most 1 tokens") {
            try fixture.open(options: TokenCacheOptions(maxSource: 1))
        }
    }

    @Test func `an intact cache is used and a change of any input makes another`() throws {
        let first = try fixture.open()
        let date = try modificationDate(first.path)
        #expect(try fixture.open().path == first.path)
        #expect(try modificationDate(first.path) == date)
        var keys: Set<ContentDigest> = [first.key]
        keys.insert(try fixture.open(options: TokenCacheOptions(maxSource: 127)).key)
        let reading = [
            ReadingOptions(onBadRow: .skip), ReadingOptions(dropDuplicates: true), ReadingOptions(splitSeed: 1),
        ]
        for options in reading { keys.insert(try fixture.open(options: TokenCacheOptions(reading: options)).key) }
        func key(_ tasks: [TaskDefinition], _ vocabulary: Vocabulary) throws -> ContentDigest {
            try TokenCache.key(tasks: tasks, vocabulary: vocabulary)
        }
        keys.insert(try key(GLUE.tasks(directory: fixture.glue.path, style: .words), fixture.vocabulary))
        keys.insert(try key(fixture.tasks(["rte", "wnli"]), fixture.vocabulary))
        keys.insert(try key(fixture.tasks(["wnli", "rte"]), fixture.vocabulary))
        let other = fixture.directory.file("other.model")
        try VocabularyTrainer.train(sentences: Array(GLUEFixture.files.values.sorted()), pieces: 90, to: other)
        keys.insert(try key(fixture.tasks(), Vocabulary(modelPath: other)))
        try fixture.glue.directory.write(
            "RTE/dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\tC\tD\tentailment\n1\tC\tF\tentailment\n")
        keys.insert(try fixture.open().key)
        #expect(keys.count == 10)
    }

    @Test func `what a killed process left of a cache is removed when the next one is written`() throws {
        let killed = try fixture.directory.write("tokens-0123.cache.left.tmp", "")
        let other = try fixture.directory.write("tokens-4567.cache.working.tmp", "")
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -90_000)], ofItemAtPath: killed)
        _ = try fixture.open()
        #expect(!FileManager.default.fileExists(atPath: killed) && FileManager.default.fileExists(atPath: other))
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory.path).count == 3)
    }

    private func modificationDate(_ path: String) throws -> Date? {
        try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
    }

    private func classification(_ name: String, answers: [String]) throws -> TaskDefinition {
        try TaskDefinition(
            name: name, format: .tsv(hasHeader: true), fields: [Field("sentence")], label: .named("label"),
            answers: .classes(answers), labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
            splits: fixture.task("sst2").splits)
    }

    /// Two inner spaces, a ligature and a full-width digit.
    @Test(arguments: [("a  b", "a b"), ("ﬁne", "fine"), ("１", "1")])
    func `an answer that the vocabulary writes otherwise could never be right and is refused`(
        answer: String, written: String
    ) throws {
        let task = try classification("other", answers: ["0", answer])
        expectFailure(
            .badData, "task \"other\": the answer \"\(answer)\" cannot be generated", fixture.vocabulary.path,
            "would write it as \"\(written)\"; use another answer text"
        ) { try TargetTable(task, fixture.vocabulary) }
        #expect(try TargetTable(classification("same", answers: ["0", written]), fixture.vocabulary).longest > 1)
    }

    @Test func `answers that the vocabulary cannot write, and those beyond the budget, are refused`() throws {
        let wide = try classification("wide", answers: ["0", "語"])
        expectFailure(.badData, "task \"wide\": the answer \"語\" cannot be generated", "has no pieces for it") {
            try TokenCacheBuilder(tasks: [wide], vocabulary: fixture.vocabulary)
        }
        let alike = try classification("alike", answers: ["a b", "a  b"])
        expectFailure(.badData, "the answer \"a  b\" cannot be generated", "writes it like \"a b\"") {
            try TokenCacheBuilder(tasks: [alike], vocabulary: fixture.vocabulary)
        }
        let targets = try TargetTable(fixture.task("stsb"), fixture.vocabulary)
        #expect(try targets.longest == fixture.open().task("stsb").longestTarget)
        try targets.check(fit: targets.longest)
        expectFailure(.badConfiguration, "task \"stsb\": the label", "more than the generation budget of 1") {
            try targets.check(fit: 1)
        }
    }

    @Test func `refusals of the data reach the caller, the first file first, and leave no file`() throws {
        try fixture.glue.directory.write("WNLI/dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\tA\tB\tmaybe\n")
        try fixture.glue.directory.write("RTE/dev.tsv", "")
        for threads in [1, 4] {
            expectFailure(.badData, "RTE/dev.tsv is empty") { try fixture.open(threads: threads) }
        }
        expectFailure(.badConfiguration, "no tasks") {
            try TokenCache.openOrBuild(tasks: [], vocabulary: fixture.vocabulary, directory: fixture.directory.path)
        }
        expectFailure(.badConfiguration, "two tasks have the name \"rte\"") {
            try TokenCacheBuilder(tasks: [fixture.task("rte"), fixture.task("rte")], vocabulary: fixture.vocabulary)
        }
        let absent = fixture.directory.file("absent")
        expectFailure(.cannotWrite, absent + "/") {
            try TokenCache.openOrBuild(
                tasks: [fixture.task("mrpc")], vocabulary: fixture.vocabulary, directory: absent)
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: fixture.directory.path)
        #expect(files == ["spiece.model"])
    }

    @Test(.enabled(if: ReferenceMaterial.directory != nil, "needs GLUE and T5's vocabulary, not distributed here"))
    func `real GLUE with T5's own vocabulary`() throws {
        let t5 = try Vocabulary(modelPath: ReferenceMaterial.path("data/t5_vocab/spiece.model"))
        let tasks = try GLUE.tasks(directory: ReferenceMaterial.path("data/glue"))
        let start = ContinuousClock.now
        let cache = try TokenCache.openOrBuild(
            tasks: tasks, vocabulary: t5, directory: fixture.directory.path, threads: 2)
        print("GLUE tokenised in \(ContinuousClock.now - start)")
        #expect(cache.tasks.allSatisfy { $0.longestTarget <= 4 })
        let cola = try #require(try cache.task("cola").split(.train))
        #expect(try t5.decode(cola.source(0)).hasPrefix("cola sentence: Our friends won't buy this analysis"))
        #expect(cola.count == 8551)
        let words = try GLUE.tasks(
            ["cola", "mrpc", "rte", "wnli"], directory: ReferenceMaterial.path("data/glue"), style: .words
        ).map { try TargetTable($0, t5) }
        #expect(words.map(\.longest).max() == 6)
        expectFailure(.badConfiguration, "takes 6 tokens, more than the generation budget of 4") {
            for targets in words { try targets.check(fit: 4) }
        }
    }
}
