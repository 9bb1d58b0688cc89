import Failures
import Foundation
import TestSupport
import Testing
import Text

@Suite struct VocabularyTrainerTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func `the same sentences give the same file`() throws {
        let first = try VocabularyTrainer.train(sentences: sentences, pieces: 40, to: directory.file("a"))
        let second = try VocabularyTrainer.train(sentences: sentences, pieces: 40, to: directory.file("b"))
        #expect(first == second)
        let other = try VocabularyTrainer.train(sentences: sentences, pieces: 41, to: directory.file("c"))
        #expect(first != other)
    }

    @Test func `every character of the sentences has a piece`() throws {
        let path = directory.file("v")
        try VocabularyTrainer.train(sentences: sentences + ["ж é 語"], pieces: 45, to: path)
        let vocabulary = try Vocabulary(modelPath: path)
        #expect(!(try vocabulary.encode("語 ж é cat").contains(Vocabulary.unknownID)))
    }

    @Test func `impossible requests are refused`() throws {
        let path = directory.file("v")
        func refusal(_ sentences: [String], _ pieces: Int) -> Failure? {
            do throws(Failure) {
                try VocabularyTrainer.train(sentences: sentences, pieces: pieces, to: path)
                return nil
            } catch { return error }
        }
        #expect(refusal([], 50)?.message.contains("no text (0 sentences)") == true)
        #expect(refusal(["", " \n"], 50)?.message.contains("no text (2 sentences)") == true)
        #expect(refusal(sentences, 3)?.message.contains("3 pieces is impossible") == true)
        #expect(refusal(sentences, 5)?.message.contains("5 pieces") == true)
        #expect(refusal(sentences, 5000)?.message.contains("Vocabulary size too high (5000)") == true)
        for pieces in [3, 5, 5000] { #expect(refusal(sentences, pieces)?.code == .badData) }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `a directory that does not exist is refused`() throws {
        let error = #expect(throws: Failure.self) {
            try VocabularyTrainer.train(sentences: sentences, pieces: 40, to: directory.file("absent/v"))
        }
        #expect(error?.code == .cannotWrite)
    }
}
