import Failures
import Foundation
import TestSupport
import Testing

@testable import Text

@Suite struct TokenizersTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try VocabularyTrainer.train(sentences: sentences, pieces: 40, to: directory.file("spiece.model"))
    }

    @Test func `a directory's tokenizer is that of the file that it holds`() throws {
        let opened = try Tokenizers.open(directory: directory.path, rows: 140)
        let own = try Vocabulary(directory: directory.path, rows: 140)
        #expect(opened is Vocabulary && opened.path == directory.file("spiece.model") && opened.digest == own.digest)
        #expect(opened.pieceCount == 40 && opened.idCount == own.idCount)
        #expect(opened.paddingID == 0 && opened.endID == 1 && opened.unknownID == 2)
        for sentence in sentences {
            let ids = try opened.encode(sentence)
            #expect(try ids == own.encode(sentence) && opened.answer(ids + [1] + ids) == sentence)
            #expect(
                try Array(sentence.utf8).withUnsafeBytes { try opened.spans(utf8: $0) }.map(\.id) == ids)
        }
    }

    @Test func `added tokens and the rows of the embedding are looked at`() throws {
        try directory.write("added_tokens.json", "{\"<x>\": 140}")
        #expect(try Tokenizers.open(directory: directory.path, rows: 141).encode("<x>") == [140])
        let failure = #expect(throws: Failure.self) { try Tokenizers.open(directory: directory.path, rows: 140) }
        #expect(failure?.code == .badData && failure?.message.contains("<x>") == true)
    }

    @Test func `a directory without one is refused with the file that it lacks`() throws {
        let empty = try TemporaryDirectory()
        let failure = #expect(throws: Failure.self) { try Tokenizers.open(directory: empty.path, rows: 40) }
        #expect(failure?.code == .inputMissing)
        #expect(
            failure?.message
                == "\(empty.path)/spiece.model is missing; the model's vocabulary belongs beside its weights: "
                + "take it from where they come from")
    }

    @Test func `every kind is opened by its own file`() {
        let files = Tokenizers.kinds.map(\.file)
        #expect(files.first == "spiece.model" && Set(files).count == files.count)
    }
}
