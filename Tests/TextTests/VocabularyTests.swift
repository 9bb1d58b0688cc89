import Failures
import Foundation
import Tensors
import TestSupport
import Testing
import Text

@Suite struct VocabularyTests {
    let directory: TemporaryDirectory
    let path: String
    let vocabulary: Vocabulary

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.file("spiece.model")
        try VocabularyTrainer.train(sentences: sentences, pieces: 40, to: path)
        vocabulary = try Vocabulary(modelPath: path)
    }

    @Test func `encoding and decoding give the text back`() throws {
        for sentence in sentences {
            let ids = try vocabulary.encode(sentence)
            #expect(!ids.isEmpty && ids.allSatisfy { $0 > 2 && $0 < 40 })
            #expect(try vocabulary.decode(ids) == sentence)
        }
    }

    @Test func `the special ids are those of T5`() throws {
        #expect(vocabulary.pieceCount == 40)
        #expect(Vocabulary.padID == 0 && Vocabulary.eosID == 1 && Vocabulary.unknownID == 2)
        #expect(try vocabulary.encode("кот").contains(Vocabulary.unknownID))
    }

    @Test func `decoding drops pad, EOS and ids that name no piece`() throws {
        let ids = try vocabulary.encode("the cat sat")
        let surrounded = [0] + ids + [1, 0, 40, 41, 32127, -1, -100, .max, .min]
        #expect(try vocabulary.decode(surrounded) == "the cat sat")
        #expect(try vocabulary.decode([0, 1, 40]) == "")
        #expect(try vocabulary.decode([Int32]()) == "")
    }

    @Test func `an answer ends at the first EOS`() throws {
        let (cat, sat) = (try vocabulary.encode("the cat"), try vocabulary.encode("sat"))
        #expect(try vocabulary.answer([0] + cat + [1] + sat) == "the cat")
        #expect(try vocabulary.answer(cat) == "the cat")
        #expect(try vocabulary.answer([1] + sat) == "")
    }

    @Test func `no text makes encoding fail`() throws {
        #expect(try vocabulary.encode("") == [])
        #expect(try vocabulary.encode("\0") != vocabulary.encode(""))
        #expect(try vocabulary.encode("the\0cat").contains(where: { $0 > 2 }))
        var ids: [Int32] = [7]
        let malformed: [UInt8] = [0x74, 0xFF, 0xFE, 0xC3, 0x28, 0xED, 0xA0, 0x80, 0xF0, 0x9F]
        _ = try malformed.withUnsafeBytes { try vocabulary.encode(utf8: $0, into: &ids) }
        #expect(ids.first == 7 && ids.contains(Vocabulary.unknownID))
    }

    @Test func `a text that becomes longer by normalisation is encoded whole`() throws {
        // U+FDFA becomes 18 characters.
        let long = String(repeating: "\u{FDFA}cat", count: 200)
        var ids: [Int32] = [9, 9]
        try vocabulary.encode(long, into: &ids)
        #expect(ids.prefix(2) == [9, 9])
        #expect(Array(ids.dropFirst(2)) == (try vocabulary.encode(long)))
        #expect(try vocabulary.decode(ids.dropFirst(2)).components(separatedBy: "cat").count == 201)
    }

    @Test func `many threads encode at the same time and agree`() async throws {
        let text = sentences.joined(separator: " ")
        let expected = try vocabulary.encode(text)
        let vocabulary = vocabulary
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { try (0..<50).allSatisfy { _ in try vocabulary.encode(text) == expected } }
            }
            for try await same in group { #expect(same) }
        }
    }

    @Test func `the digest is that of the file`() throws {
        #expect(vocabulary.digest == (try ContentDigest.of(file: path)))
    }

    @Test(.enabled(if: ReferenceMaterial.directory != nil, "needs T5's own vocabulary, which is not distributed here"))
    func `T5's vocabulary gives T5's ids`() throws {
        let t5 = try Vocabulary(modelPath: ReferenceMaterial.path("data/t5_vocab/spiece.model"))
        #expect(t5.pieceCount == 32000)
        let text = "translate English to German: The house is wonderful."
        let ids = try t5.encode(text)
        #expect(ids == [13959, 1566, 12, 2968, 10, 37, 629, 19, 1627, 5])
        #expect(try t5.decode(ids + [1]) == text)
        #expect(try t5.decode([13959, 32099, 1566]) == "translate English")
    }
}

/// Enough different words for vocabularies of up to about fifty pieces.
let sentences: [String] = ["cat", "dog", "rat", "horse", "teacher", "painter", "gardener"].flatMap { subject in
    ["sat on", "walked over", "painted", "remembered", "jumped across"].flatMap { action in
        ["mat", "mountain", "river", "window", "stone", "garden"].map { "the \(subject) \(action) a \($0)" }
    }
}
