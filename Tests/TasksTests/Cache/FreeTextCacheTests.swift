import Failures
import Foundation
import TestSupport
import Testing
import Text

@testable import Tasks
@testable import Tensors

/// Tasks whose answers are free text, from the files to the cache and the figures of the data.
@Suite struct FreeTextCacheTests {
    let directory: TemporaryDirectory
    let vocabulary: Vocabulary

    init() throws {
        directory = try TemporaryDirectory()
        try VocabularyTrainer.train(
            sentences: ["a b c d e f g 0 1 2 3 4 5 ."], pieces: 18, to: directory.file("spiece.model"))
        vocabulary = try Vocabulary(modelPath: directory.file("spiece.model"))
        try directory.write(
            "train.jsonl",
            """
            {"q": "a", "answers": ["b c", "c b", "漢"], "id": "one"}
            {"q": "b", "answers": "abcdefg", "id": "two"}
            {"q": "c", "answers": 1.50, "id": "one"}
            {"q": "a", "answers": [""], "id": "three"}
            {"q": "d", "answers": ["漢"], "id": "two"}

            """)
        try directory.write("dev.jsonl", "{\"q\": \"a\", \"answers\": [\"d\", \"b c\"], \"id\": 1}\n")
        try directory.write("test.jsonl", "{\"q\": \"e\", \"answers\": true, \"id\": 1}\n")
    }

    private func task(group: Column? = .named("id"), metrics: [Metric] = [.exactMatch]) throws -> TaskDefinition {
        try TaskDefinition(
            name: "qa", format: .jsonLines, fields: [Field("q")], label: .named("answers"), group: group,
            answers: .texts, metrics: metrics,
            splits: SplitDefinition.splits(
                train: [directory.file("train.jsonl")], validation: [directory.file("dev.jsonl")],
                test: [directory.file("test.jsonl")]))
    }

    private func cache(_ task: TaskDefinition, maxTarget: Int? = nil, threads: Int = 1) throws -> TokenCache {
        try TokenCache.openOrBuild(
            tasks: [task], vocabulary: vocabulary, options: TokenCacheOptions(maxTarget: maxTarget),
            directory: directory.path, threads: threads)
    }

    @Test func `the cache holds targets, all texts and groups`() throws {
        let cached = try cache(task())
        // The second opening maps the file.
        for cache in [cached, try cache(task(), threads: 2)] {
            #expect(cache.key == cached.key)
            let task = try cache.task("qa")
            #expect(task.targetIDs.isEmpty && task.answers == .texts && task.metrics == [.exactMatch])
            let train = try #require(task.split(.train))
            let texts: [[String]] = [["b c", "c b", "漢"], ["abcdefg"], ["1.50"], [""], ["漢"]]
            for (index, own) in texts.enumerated() {
                #expect(train.gold(index) == .texts(own))
                #expect(try Array(train.target(index)) == vocabulary.encode(own[0]) + [1])
            }
            #expect((0..<5).map(train.group) == [0, 1, 0, 2, 1])
            #expect(try task.longestTarget == vocabulary.encode("abcdefg").count + 1)
            #expect(task.split(.test)?.gold(0) == .texts(["true"]))
        }
    }

    @Test func `long targets are cut and counted, the texts are not`() throws {
        let task = try cache(task(), maxTarget: 4).task("qa")
        let train = try #require(task.split(.train))
        #expect(try Array(train.target(1)) == vocabulary.encode("abcdefg").prefix(3) + [1])
        #expect(train.gold(1) == .texts(["abcdefg"]) && task.longestTarget == 4)
        let counts = try #require(task.report.splits[0].answers)
        let lengths = try ["b c", "abcdefg", "1.50", "", "漢"].map { try vocabulary.encode($0).count + 1 }
        #expect(counts.limit == 4 && counts.truncated == lengths.count { $0 > 4 } && counts.truncated > 0)
        #expect((counts.withUnknown, counts.empty, counts.references) == (1, 1, 7))
        #expect(counts.whole.longest == lengths.max())
        #expect(try cache(self.task(), maxTarget: 4).key != cache(self.task(), maxTarget: 5).key)
    }

    @Test func `the figures of the data count texts`() throws {
        let statistics = try DataStatistics(cache(task(), maxTarget: 4).tasks, of: [], maxSource: 128)
        let train = try #require(statistics.tasks[0].split(.train))
        let texts = try #require(train.texts)
        #expect(train.labels == nil && train.scores == nil)
        #expect((texts.different, texts.references, texts.empty.count, texts.withUnknown.count) == (5, 7, 1, 1))
        #expect(texts.cut.count > 0 && texts.limit == 4)
        // "a" has two different answers in training, and a third one in validation.
        #expect((train.repeated.count, train.repeated.otherAnswer) == (1, 2))
        let validation = try #require(statistics.tasks[0].split(.validation))
        #expect(validation.equalText.map(\.count) == [1] && validation.equalText.map(\.otherAnswer) == [1])
    }

    @Test(arguments: [
        ("[]", "no list of at least one of them"), ("[\"a\", null]", "no list of at least one of them"),
        ("[[\"a\"]]", "no list of at least one of them"),
        ("{\"text\": \"a\"}", "is no text, number or boolean, and no"),
        ("null", "is no text, number or boolean"), ("[\"a\",]", "not a JSON object"),
    ])
    func `other values are refused with file and line`(value: String, reason: String) throws {
        try directory.write("dev.jsonl", "{\"q\": \"a\", \"answers\": \(value), \"id\": 1}\n")
        expectFailure(.badData, "dev.jsonl:1: ", reason) { try TaskExamples(task()) }
    }

    @Test func `a column may be the group and the answer`() throws {
        let examples = try TaskExamples(task(group: .named("answers")))
        #expect(try examples.example(.train, 0).gold == .texts(["b c", "c b", "漢"]))
        #expect(examples.groups(split: 0) == [0, 1, 2, 3, 4])
    }

    @Test func `a list is no label`() throws {
        try directory.write("train.jsonl", "{\"q\": [\"a\"], \"answers\": \"b\", \"id\": 1}\n")
        expectFailure(.badData, "train.jsonl:1: ", "the value of \"q\" is no text, number or boolean;") {
            try TaskExamples(task())
        }
    }

    @Test func `columns of a TSV file have one text each`() throws {
        try directory.write("t.tsv", "q\tanswer\na\t[\"b\"]\nb\t\n")
        let examples = try TaskExamples(
            TaskDefinition(
                name: "t", format: .tsv(hasHeader: true), fields: [Field("q")], label: .named("answer"),
                answers: .texts,
                metrics: [.bleu], splits: SplitDefinition.splits(train: [directory.file("t.tsv")])))
        #expect(try examples.example(.train, 0).gold == .texts(["[\"b\"]"]))
        #expect(try examples.example(.train, 1).target.isEmpty)
    }

    @Test func `figures of another kind of answer, and those of groups without groups, are refused`() throws {
        expectFailure(.badConfiguration, "the metric accuracy does not apply", "exact_match, token_f1, rouge_l, bleu") {
            try task(metrics: [.accuracy])
        }
        expectFailure(.badConfiguration, "group_exact_match needs to know which rows belong together") {
            try TaskDefinition(
                name: "t", format: .jsonLines, fields: [Field("q")], label: .named("l"), answers: .classes(["a", "b"]),
                labels: LabelMap(classes: ["0", "1"]), metrics: [.groupExactMatch],
                splits: SplitDefinition.splits(train: ["f"]))
        }
    }

    /// Checkpoints of earlier versions hold digests of these texts.
    @Test func `tasks and options without free text and groups are described as in earlier versions`() throws {
        let task = try TaskDefinition(
            name: "t", format: .jsonLines, fields: [Field("q")], label: .named("l"), answers: .classes(["a", "b"]),
            labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
            splits: SplitDefinition.splits(train: ["f"]))
        let text = String(decoding: try StableJSON.line(task, "t"), as: UTF8.self)
        #expect(
            text.trimmingCharacters(in: .newlines)
                == #"{"answers":{"classes":{"_0":["a","b"]}},"fields":[{"column":{"named":{"_0":"q"}},"name":"q"}],"#
                + #""format":{"jsonLines":{}},"label":{"named":{"_0":"l"}},"labels":{"entries":[{"index":0,"label":"0"},"#
                + #"{"index":1,"label":"1"}],"ignored":[]},"leavesOutIncompleteRows":false,"metrics":["accuracy"],"#
                + #""name":"t","splits":[{"name":"train","source":{"files":{"_0":["f"]}}}],"#
                + #""template":{"parts":[{"text":{"_0":"t q: "}},{"field":{"_0":0}}],"pattern":"t q: {q}"}}"#)
        let options = String(decoding: try StableJSON.line(TokenCacheOptions(), "o"), as: UTF8.self)
        #expect(
            options.trimmingCharacters(in: .newlines)
                == #"{"maxSource":128,"reading":{"dropDuplicates":false,"onBadRow":"fail","splitSeed":0}}"#)
    }

    @Test func `forged texts, targets and groups are refused`() throws {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: cache(task()).path)))
        func refusal(_ change: (inout TokenCacheHeader, inout [UInt8]) -> Void) throws -> String? {
            let start = TokenCacheFormat.prologueSize
            let size = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 24, as: UInt64.self)) }
            var header = try JSONDecoder().decode(TokenCacheHeader.self, from: Data(bytes[start..<start + size]))
            var data = Array(bytes[(start + size)...])
            change(&header, &data)
            var content = Array(try StableJSON.line(header, "h"))
            content += Array(repeating: 0x20, count: TokenCacheFormat.aligned(content.count) - content.count)
            let headerSize = content.count
            content += data
            let prologue = TokenCacheFormat.prologue(
                fileSize: start + content.count, headerSize: headerSize, key: ContentDigest(of: ""),
                content: content.withUnsafeBytes { ContentDigest(of: $0) })
            let file = (prologue + content).withUnsafeBytes { MappedFile(copying: $0, path: "c") }
            do throws(Failure) {
                _ = try TokenCacheReader(file).contents()
                return nil
            } catch { return error.message }
        }
        func split(_ header: TokenCacheHeader) -> TokenCacheHeader.Split { header.tasks[0].splits[0] }
        #expect(try refusal { _, _ in } == nil)
        #expect(try refusal { header, _ in header.tasks[0].splits[0].texts = nil } == "a section is misplaced")
        #expect(
            try refusal { header, data in
                // An end beyond the bytes.
                data[split(header).texts!.ends + 3] = 1
            } == "a text is damaged")
        #expect(
            try refusal { header, data in
                // The second example begins with the first text too.
                for byte in 0..<8 { data[split(header).gold + 8 + byte] = 0 }
            } == "an example has no text")
        #expect(try refusal { header, data in data[split(header).groups! + 1] = 1 } == "a group is none of its split")
    }
}
