import Failures
import Tensors
import TestSupport
import Testing
import Text

@testable import Tasks

/// A tokenizer that is not SentencePiece: every byte is a token, and the special tokens have other ids than T5's.
private struct ByteTokenizer: Tokenizer {
    var path = "bytes"
    var endID: Int32 = 300
    let pieceCount = 256
    let idCount = 302
    let paddingID: Int32 = 301
    let unknownID: Int32? = nil

    var digest: ContentDigest { ContentDigest(of: "bytes \(endID)") }

    func encode(utf8 bytes: UnsafeRawBufferPointer, into ids: inout [Int32]) throws(Failure) -> Bool {
        ids.append(contentsOf: bytes.lazy.map { Int32($0) })
        return false
    }

    func spans(utf8 bytes: UnsafeRawBufferPointer) throws(Failure) -> [TokenSpan] {
        bytes.enumerated().map { TokenSpan(id: Int32($1), end: $0 + 1) }
    }

    func decode(_ ids: [Int32]) throws(Failure) -> String {
        String(decoding: ids.compactMap { UInt8(exactly: $0) }, as: UTF8.self)
    }
}

@Suite struct OtherTokenizerTests {
    let directory: TemporaryDirectory
    private let definition: TaskDefinition

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("train.tsv", "a\tlabel\nkurz\tx\näußerst lang\ty\n")
        definition = try TaskDefinition(
            name: "t", format: .tsv(hasHeader: true), fields: [Field("a")], label: .named("label"), template: "{a}",
            answers: .classes(["yes", "no"]), labels: LabelMap(classes: ["x", "y"]), metrics: [.accuracy],
            splits: [SplitDefinition(.train, .files([directory.file("train.tsv")]))])
    }

    private func cache(_ tokenizer: ByteTokenizer, maxSource: Int = 128) throws -> TokenCache {
        try TokenCache.openOrBuild(
            tasks: [definition], vocabulary: tokenizer, options: TokenCacheOptions(maxSource: maxSource),
            directory: directory.path)
    }

    @Test func `texts, targets and answers are its own, ended by its own id`() throws {
        let tokenizer = ByteTokenizer()
        let cache = try cache(tokenizer)
        let task = cache.tasks[0]
        let split = task.splits[0]
        #expect(Array(split.source(0)) == "kurz".utf8.map { Int32($0) } + [300])
        #expect(Array(split.source(1)) == "äußerst lang".utf8.map { Int32($0) } + [300])
        #expect(Array(split.target(1)) == "no".utf8.map { Int32($0) } + [300])
        #expect(try TargetTable(definition, tokenizer).longest == 4)
        // Pieces cover every text.
        #expect(task.report.splits[0].sources.unknownCharacterShare == 0)
        let prediction = Prediction(definition, vocabulary: tokenizer, maxSource: 128)
        #expect(try prediction.answer("no".utf8.map { Int32($0) } + [300, 301, 65]).label == 1)
        #expect(try prediction.source(ofLine: "kurz").ids == Array(split.source(0)))
    }

    @Test func `a text is cut in front of its end, and what is lost is found by its places`() throws {
        let split = try cache(ByteTokenizer(), maxSource: 7).tasks[0].splits[0]
        #expect(Array(split.source(1)) == "äußer".utf8.prefix(6).map { Int32($0) } + [300])
        let source = try Prediction(definition, vocabulary: ByteTokenizer(), maxSource: 7)
            .source(ofLine: "äußerst lang")
        #expect(source.isTruncated && source.ids.count == 7 && source.unknownShare == 0)
    }

    @Test func `a cache whose texts end otherwise than the tokenizer's is not used`() throws {
        let cache = try cache(ByteTokenizer())
        #expect(throws: Never.self) { try TokenCache(path: cache.path, end: 300) }
        #expect(throws: Never.self) { try TokenCache(path: cache.path) }
        let failure = #expect(throws: Failure.self) { try TokenCache(path: cache.path, end: 1) }
        #expect(failure?.code == .badData && failure?.message.contains("a text lacks its end") == true)
        // Another tokenizer gives another key, so both caches can exist side by side.
        #expect(try self.cache(ByteTokenizer(endID: 299)).path != cache.path)
    }
}
