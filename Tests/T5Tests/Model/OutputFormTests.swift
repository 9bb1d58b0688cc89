import Backbone
import Failures
import Foundation
import Tensors
import Testing

@testable import T5

/// What is shared, what is scaled, and which output matrix is used, given the keys that transformers of versions 4 and 5 write
/// and the tensors in the file.
@Suite struct OutputFormTests {
    private static let output = "lm_head.weight"

    /// A model directory with other keys for the output, and with its output matrix removed or made equal to the embedding.
    private func directory(
        _ keys: [String: Any], type: String = "t5", _ change: (inout ModelDirectory) -> Void = { _ in }
    ) throws -> ModelDirectory {
        var directory = try ModelDirectory(.v11)
        for key in ["tie_word_embeddings", "scale_decoder_outputs"] { directory.settings[key] = nil }
        directory.settings["model_type"] = type
        directory.settings.merge(keys) { $1 }
        change(&directory)
        try directory.write()
        return directory
    }

    private func withoutOutput(_ directory: inout ModelDirectory) { directory.tensors[Self.output] = nil }

    private func withEqualOutput(_ directory: inout ModelDirectory) {
        directory.tensors[Self.output] = directory.tensors["shared.weight"]
    }

    private func logits(_ directory: ModelDirectory) throws -> [Float] {
        _ = try T5Model.check(directory: directory.path)
        let model = try T5Model.load(directory: directory.path, maximumLength: 32)
        let engine = T5Engine(model: model, adaptation: nil)
        defer { withExtendedLifetime(engine) {} }
        return engine.logits(TinyT5.batch()).copied()
    }

    private func refusal(_ directory: ModelDirectory) throws -> String {
        let failure = try #require(throws: Failure.self) { _ = try T5Model.check(directory: directory.path) }
        #expect(failure.code == .badData)
        return failure.message
    }

    /// Versions 4 and 5 agree about all of these: a separate output matrix, nothing scaled.
    @Test(arguments: [
        ["tie_word_embeddings": false], ["tie_word_embeddings": false, "scale_decoder_outputs": false],
        // This is how version 5 writes it.
        ["tie_word_embeddings": true, "scale_decoder_outputs": false], ["scale_decoder_outputs": false],
    ])
    func `a v1.1 is the same however it was saved`(keys: [String: Bool]) throws {
        let original = try ModelDirectory(.v11)
        try original.write()
        let again = try directory(keys)
        #expect(try T5Configuration(directory: again.path) == TinyT5.configuration(.v11))
        #expect(try T5Model.check(directory: again.path) == T5Model.check(directory: original.path))
        #expect(try logits(again) == logits(original))
    }

    @Test(arguments: [["tie_word_embeddings": true], ["tie_word_embeddings": false], [:]])
    func `an mT5 is the same however it was saved`(keys: [String: Bool]) throws {
        let original = try ModelDirectory(.v11)
        try original.write()
        let mT5 = try directory(keys, type: "mt5") { $0.settings["feed_forward_proj"] = nil }
        #expect(try T5Configuration(directory: mT5.path) == TinyT5.configuration(.v11))
        #expect(try logits(mT5) == logits(original))
    }

    @Test(arguments: [
        [:], ["tie_word_embeddings": true], ["scale_decoder_outputs": true],
        ["tie_word_embeddings": true, "scale_decoder_outputs": true],
    ])
    func `a v1.0 is the same however it was saved`(keys: [String: Bool]) throws {
        let original = try ModelDirectory(.v10)
        try original.write()
        var again = try ModelDirectory(.v10)
        for key in ["tie_word_embeddings", "scale_decoder_outputs"] { again.settings[key] = keys[key] }
        again.tensors[Self.output] = again.tensors["shared.weight"]
        try again.write()
        #expect(try T5Configuration(directory: again.path) == TinyT5.configuration(.v10))
        #expect(try T5Model.check(directory: again.path) == T5Model.check(directory: original.path))
        #expect(try logits(again) == logits(original))
    }

    @Test func `a v1.1 may be tied, and is not scaled then`() throws {
        let keys: [String: Any] = ["tie_word_embeddings": true, "scale_decoder_outputs": false]
        let expected = try logits(directory(["tie_word_embeddings": false], withEqualOutput))
        #expect(try logits(directory(keys, withEqualOutput)) == expected)
        let tied = try directory(keys, withoutOutput)
        #expect(try logits(tied) == expected)
        var configuration = TinyT5.configuration(.v11)
        configuration.outputMatrix = .embedding
        #expect(try T5Configuration(directory: tied.path) == configuration)
        #expect(configuration.outputScale == 1 && !configuration.tensorShapes().contains { $0.name == Self.output })
        // The only matrix may have the output's name.
        let renamed = try directory(keys) { directory in
            directory.tensors[Self.output] = directory.tensors.removeValue(forKey: "shared.weight")
        }
        #expect(try logits(renamed) == expected)
        // It is a different model from a v1.0 with the same tensors.
        let scaled = try directory(["tie_word_embeddings": true], withoutOutput)
        #expect(try logits(scaled) != expected)
        #expect(try T5Model.check(directory: scaled.path) != T5Model.check(directory: tied.path))
        // Without the weights nobody can know; the form that needs more memory is assumed.
        #expect(try T5Configuration(path: tied.path + "/config.json") == TinyT5.configuration(.v11))
    }

    @Test func `keys and tensors that contradict each other are refused with both`() throws {
        let scaled = try refusal(directory(["tie_word_embeddings": false, "scale_decoder_outputs": true]))
        #expect(scaled.contains("tie_word_embeddings is false") && scaled.contains("scale_decoder_outputs is true"))
        for keys in [[:], ["tie_word_embeddings": true], ["scale_decoder_outputs": true]] {
            let message = try refusal(directory(keys))
            #expect(message.contains("tensor lm_head.weight has other numbers than shared.weight"), "\(message)")
            #expect(message.contains("\"tie_word_embeddings\": false"), "\(message)")
        }
        for keys in [["tie_word_embeddings": false], ["tie_word_embeddings": false, "scale_decoder_outputs": false]] {
            #expect(try refusal(directory(keys, withoutOutput)).contains("lm_head.weight is missing"))
        }
        for key in ["tie_word_embeddings", "scale_decoder_outputs"] {
            #expect(try refusal(directory([key: NSNull()])).contains("\(key) is null"))
        }
    }

    @Test func `a tied mT5, which the versions scale differently, has to say it`() throws {
        let keys: [String: Any] = ["tie_word_embeddings": true]
        for directory in [
            try directory(keys, type: "mt5", withoutOutput), try directory(keys, type: "mt5", withEqualOutput),
        ] {
            #expect(try refusal(directory).contains("add \"scale_decoder_outputs\": true or false to config.json"))
        }
        for scales in [true, false] {
            let said = keys.merging(["scale_decoder_outputs": scales]) { $1 }
            let mT5 = try directory(said, type: "mt5", withoutOutput)
            #expect(try logits(mT5) == logits(directory(said, withoutOutput)))
            #expect(try T5Configuration(directory: mT5.path).scalesOutput == scales)
        }
    }

    @Test(arguments: ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"])
    func `an embedding of a stack with other numbers is refused by name`(alias: String) throws {
        let other = try directory(["tie_word_embeddings": false]) { directory in
            directory.tensors[alias] = directory.tensors["shared.weight"]
            directory.tensors[alias]?.bytes[5] ^= 1
        }
        let message = try refusal(other)
        #expect(message.contains("tensor \(alias) has other numbers than shared.weight"), "\(message)")
        let wide = try directory(["tie_word_embeddings": false]) { directory in
            directory.tensors[alias] = directory.tensors["shared.weight"]
            directory.tensors[alias]?.type = "F64"
            directory.tensors[alias]?.bytes = Data(count: 37 * 12 * 8)
        }
        #expect(try refusal(wide).contains("tensor \(alias) is F64"))
    }

    @Test func `numbers are equal whatever their types and the signs of zeros`() throws {
        let alias = "decoder.embed_tokens.weight"
        func accepts(_ change: (inout ModelDirectory) -> Void) throws -> Bool {
            let directory = try directory(["tie_word_embeddings": false]) { directory in
                directory.tensors["shared.weight"]?.bytes[0..<4] = Data(count: 4)
                change(&directory)
            }
            return (try? T5Model.check(directory: directory.path)) != nil
        }
        for type in ["BF16", "F16"] {
            #expect(
                try accepts { directory in
                    let values = directory.convert("shared.weight", to: type)
                    directory.tensors[alias] = directory.tensors["shared.weight"]
                    directory.tensors[alias]?.type = "F32"
                    directory.tensors[alias]?.bytes = values.withUnsafeBytes { Data($0) }
                })
            // The numbers differ if only one of the tensors was rounded.
            #expect(
                try !accepts { directory in
                    directory.tensors[alias] = directory.tensors["shared.weight"]
                    directory.convert(alias, to: type)
                })
        }
        #expect(
            try accepts { directory in
                directory.tensors[alias] = directory.tensors["shared.weight"]
                directory.tensors[alias]?.bytes[3] = 0x80
            })
    }

    /// Checkpoints contain these digests: a user who resumes a run with a correctly read model must get the same one.
    @Test func `digests of backbones are what they were when checkpoints were written`() throws {
        let recorded: [TinyT5.Family: String] = [
            .v10: "c49e67814d3d93ec0e230a8aaaed998b", .v11: "dfc48c46b24005188d4de8c7e7508b4d",
        ]
        for family in TinyT5.Family.allCases {
            let directory = try ModelDirectory(family)
            try directory.write()
            #expect(try T5Model.check(directory: directory.path).hexadecimal == recorded[family])
        }
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `what is written is read the same by both versions`(family: TinyT5.Family) throws {
        let json = try TinyT5.configuration(family).json()
        let keys = try #require(try JSONSerialization.jsonObject(with: json) as? [String: Any])
        // Version 4 only uses the first key, version 5 the second.
        #expect(keys["tie_word_embeddings"] as? Bool == (family == .v10))
        #expect(keys["scale_decoder_outputs"] as? Bool == (family == .v10))
    }
}
