import Failures
import Foundation
import TestSupport
import Testing
import Text

@Suite struct VocabularyRefusalTests {
    let directory: TemporaryDirectory
    let model: Data

    init() throws {
        directory = try TemporaryDirectory()
        let path = directory.file("good.model")
        try VocabularyTrainer.train(sentences: sentences, pieces: 40, to: path)
        model = try Data(contentsOf: URL(fileURLWithPath: path))
    }

    private func refusal(of content: Data) throws -> Failure? {
        let path = directory.file("spiece.model")
        try content.write(to: URL(fileURLWithPath: path))
        do throws(Failure) {
            _ = try Vocabulary(modelPath: path)
            return nil
        } catch { return error }
    }

    @Test func `a missing file is refused by name`() throws {
        let path = directory.file("absent/spiece.model")
        let error = #expect(throws: Failure.self) { try Vocabulary(modelPath: path) }
        #expect(error?.code == .inputMissing)
        #expect(error?.message.contains(path) == true)
    }

    @Test func `a model cut anywhere is refused`() throws {
        // The last part, the normaliser's settings, fills most of the file, so every cut removes something from it.
        for length in stride(from: 0, to: model.count, by: max(1, model.count / 300)) {
            let error = try #require(try refusal(of: model.prefix(length)), "cut to \(length) of \(model.count)")
            #expect(error.code == .badData)
            #expect(error.message.contains("is not a whole SentencePiece model"))
        }
    }

    @Test func `something else than a model is refused`() throws {
        let texts = ["", "{\"version\": \"1.0\"}", "<!DOCTYPE html>", String(repeating: "\n", count: 1000)]
        for text in texts {
            #expect(try refusal(of: Data(text.utf8))?.code == .badData)
        }
    }

    @Test func `a model with other special ids is refused`() throws {
        // The library finds the special ids by the names of their pieces.
        var changed = model
        let pad = try #require(changed.range(of: Data("<pad>".utf8)))
        changed.replaceSubrange(pad, with: Data("<dap>".utf8))
        let error = try #require(try refusal(of: changed))
        #expect(error.code == .badData)
        #expect(error.message.contains("pad -1, eos 1 and unk 2, but T5 needs pad 0, eos 1 and unk 2"))
    }

    @Test func `damaged models never end the process`() throws {
        var state: UInt64 = 1
        func random(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        let path = directory.file("damaged.model")
        var refused = 0
        for trial in 0..<2000 {
            var damaged = model
            // Pieces and settings are the small part before the normalisation table.
            let end = trial % 2 == 0 ? min(1500, damaged.count) : damaged.count
            for _ in 0..<(1 + random(below: 4)) {
                damaged[random(below: end)] = UInt8(random(below: 256))
            }
            try damaged.write(to: URL(fileURLWithPath: path))
            do throws(Failure) {
                _ = try Vocabulary(modelPath: path).encode("the \u{FDFA} ＣＡＦÉ ①½ sat on a hill")
            } catch {
                #expect(error.code == .badData || error.code == .internal)
                refused += 1
            }
        }
        #expect(refused > 0)
    }
}
