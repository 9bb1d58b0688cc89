import Failures
import Foundation
import TestSupport
import Testing
import Text

@testable import Tasks

/// The parts of a source that the model does not see: text after a cut, and text without pieces.
@Suite struct SourceLossTests {
    let directory: TemporaryDirectory
    let vocabulary: Vocabulary

    init() throws {
        directory = try TemporaryDirectory()
        let words = (0..<8).map { "the premise number \($0) goes on and on about it: is that so? hypothesis" }
        try VocabularyTrainer.train(
            sentences: words + ["abcdefghijklmnopqrstuvwxyz 0123456789 t:.?"], pieces: 50,
            to: directory.file("spiece.model"))
        vocabulary = try Vocabulary(modelPath: directory.file("spiece.model"))
    }

    private func definition(_ rows: String, template: String? = nil) throws -> TaskDefinition {
        try directory.write("train.tsv", "premise\thypothesis\tlabel\n" + rows)
        return try TaskDefinition(
            name: "t", format: .tsv(hasHeader: true), fields: [Field("premise"), Field("hypothesis")],
            label: .named("label"), template: template, answers: .classes(["0", "1"]),
            labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
            splits: [SplitDefinition(.train, .files([directory.file("train.tsv")]))])
    }

    private func cache(_ definition: TaskDefinition, maxSource: Int = 128) throws -> TokenCache {
        try TokenCache.openOrBuild(
            tasks: [definition], vocabulary: vocabulary, options: TokenCacheOptions(maxSource: maxSource),
            directory: directory.path, threads: 2)
    }

    private func counts(_ definition: TaskDefinition, maxSource: Int = 128) throws -> SourceCounts {
        try cache(definition, maxSource: maxSource).tasks[0].report.splits[0].sources
    }

    @Test func `a field that lies behind the cut in whole is counted, to the token`() throws {
        let definition = try definition("the premise\tso it is\t0\nthe premise\t\t1\n")
        let before = try vocabulary.encode("t premise: the premise hypothesis:").count
        let ids = try vocabulary.encode("t premise: the premise hypothesis: so it is")
        let whole = ids.count
        for kept in 2...whole {
            let left = try vocabulary.decode(ids.prefix(kept)).trimmingCharacters(in: .whitespaces)
            let isLost = "t premise: the premise hypothesis:".hasPrefix(left)
            let counts = try counts(definition, maxSource: kept + 1)
            // An empty field cannot be lost.
            let lost = counts.lost.first { $0.part == SourcePart(kind: .field, text: "hypothesis") }?.sources ?? 0
            #expect(lost == (isLost ? 1 : 0), "\(kept) tokens kept of \(whole): \(left)")
            #expect(counts.truncated == (kept < before ? 2 : kept < whole ? 1 : 0))
        }
    }

    @Test func `a field that occurs twice is lost where both are, and the template's ending is named`() throws {
        let rows = "the premise goes on and on\tso\t0\n"
        let twice = try definition(rows, template: "{hypothesis} {premise} {hypothesis}")
        #expect(try counts(twice, maxSource: 4).lost.map(\.part.text) == ["premise"])
        let asked = try definition(rows, template: "{hypothesis} {premise} is that so? ")
        let found = try counts(asked, maxSource: 8)
        #expect(found.lost == [SourceCounts.Loss(part: SourcePart(kind: .ending, text: " is that so? "), sources: 1)])
        #expect(try counts(asked).lost.isEmpty)
    }

    @Test func `predictions say what the cache says`() throws {
        let rows = "the premise\tso it is\t0\n"
        for maxSource in [3, 12, 128] {
            let definition = try definition(rows)
            let cached = try cache(definition, maxSource: maxSource)
            let source = try Prediction(definition, vocabulary: vocabulary, maxSource: maxSource)
                .source(ofLine: "the premise\tso it is")
            #expect(source.ids == Array(cached.tasks[0].splits[0].source(0)))
            let report = cached.tasks[0].report.splits[0]
            #expect(source.isTruncated == (report.truncatedSources == 1))
            #expect(source.lostFields == report.sources.lost.map(\.part.text))
        }
    }

    @Test func `text without pieces is counted in characters and in tokens`() throws {
        let rows = "漢字かな the\tand\t0\nthe\tand\t1\n"
        let counts = try counts(try definition(rows, template: "{premise} {hypothesis}"))
        #expect(counts.characters == 10 + 6 && counts.unknownCharacters == 4)
        #expect(counts.unknownTokens == 1 && counts.withUnknown == 1)
        let tokens = try vocabulary.encode("漢字かな the and").count + vocabulary.encode("the and").count
        #expect(counts.tokens == tokens)
        let source = try Prediction(
            try definition(rows, template: "{premise} {hypothesis}"), vocabulary: vocabulary, maxSource: 128
        ).source(ofLine: "漢字かな the\tand")
        #expect(source.unknownShare == 0.4 && !source.isTruncated && source.lostFields.isEmpty)
    }

    @Test func `added tokens change the identity of the data, and nothing else does`() throws {
        let plain = try cache(try definition("the premise\ta < b <extra_id_100>\t0\n"))
        #expect(plain.identity == plain.key)
        #expect(plain.tasks[0].report.splits[0].sources.withAddedTokens == 0)
        let tokens = try cache(try definition("the premise\ta <extra_id_0> b\t0\n"))
        #expect(tokens.identity != tokens.key)
        #expect(tokens.tasks[0].report.splits[0].sources.withAddedTokens == 1)
        #expect(tokens.tasks[0].splits[0].source(0).contains(149))
        let template = try cache(try definition("the\tand\t0\n", template: "{premise} <extra_id_1> {hypothesis}"))
        #expect(template.identity != template.key && template.tasks[0].splits[0].source(0).contains(148))
    }

    @Test func `a token that the model does not have is refused with its row or line`() throws {
        let small = try Vocabulary(directory: directory.path, rows: 100)
        let definition = try definition("the\tand\t0\nthe\tso <extra_id_0>\t1\n")
        let place = directory.file("train.tsv")
        expectFailure(.badData, "\(place):3: the text holds \"<extra_id_0>\"", "only 100 rows") {
            try TokenCache.openOrBuild(tasks: [definition], vocabulary: small, directory: directory.path)
        }
        expectFailure(.badData, "the text holds \"<extra_id_0>\"") {
            try Prediction(definition, vocabulary: small, maxSource: 128)
                .source(ofLine: "a\t<extra_id_0>")
        }
    }

    @Test func `an answer of special tokens is refused, one of other added tokens is not`() throws {
        try directory.write(
            "tokenizer_config.json",
            #"{"added_tokens_decoder": {"150": {"content": "<yes>", "special": false}}, "extra_ids": 100}"#)
        let vocabulary = try Vocabulary(directory: directory.path, rows: 192)
        func table(_ answer: String) throws -> TargetTable {
            try TargetTable(
                TaskDefinition(
                    name: "t", format: .tsv(hasHeader: true), fields: [Field("a")], label: .named("label"),
                    answers: .classes(["no", answer]), labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy],
                    splits: [SplitDefinition(.train, .files(["f"]))]), vocabulary)
        }
        #expect(try table("<yes>").longest == vocabulary.encode("no").count + 1)
        #expect(Array(try table("<yes>").lists.ids.suffix(2)) == [150, 1])
        expectFailure(.badData, "\"<extra_id_0> so\"", "would write it as \"so\"") { try table("<extra_id_0> so") }
        expectFailure(.badData, "\"so </s>\"", "cannot be generated") { try table("so </s>") }
    }
}
