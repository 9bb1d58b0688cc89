import Failures
import Foundation
import TestSupport
import Testing

@testable import T5

@Suite struct ConfigurationFileTests {
    private func configuration(_ settings: [String: Any]) throws -> T5Configuration {
        let directory = try TemporaryDirectory()
        let path = directory.file("config.json")
        try JSONSerialization.data(withJSONObject: settings).write(to: URL(fileURLWithPath: path))
        return try T5Configuration(path: path)
    }

    private func settings(_ family: TinyT5.Family = .v10) throws -> [String: Any] {
        try ModelDirectory(family).settings
    }

    /// The message of the refusal of a changed configuration.
    private func refusal(_ changes: [String: Any]) throws -> String {
        let settings = try settings().merging(changes) { $1 }
        let failure = try #require(throws: Failure.self) { _ = try configuration(settings) }
        #expect(failure.code == .badData && failure.message.contains("config.json"))
        return failure.message
    }

    @Test(arguments: T5Configuration.presets.map(\.name))
    func `every preset comes back from the file it writes`(name: String) throws {
        let preset = try #require(T5Configuration.presets.first { $0.name == name }).configuration
        let directory = try TemporaryDirectory()
        let path = directory.file("config.json")
        try preset.json().write(to: URL(fileURLWithPath: path))
        #expect(try T5Configuration(path: path) == preset)
    }

    @Test func `an unusual configuration comes back too`() throws {
        var unusual = TinyT5.configuration(.v11, encoderBlocks: 3, decoderBlocks: 1, endToken: 9)
        unusual.normEpsilon = 3e-5
        unusual.dropoutRate = 0.25
        unusual.padToken = 4
        unusual.decoderStartToken = 7
        unusual.outputMatrix = .embedding
        unusual.scalesOutput = true
        let directory = try TemporaryDirectory()
        let path = directory.file("config.json")
        try unusual.json().write(to: URL(fileURLWithPath: path))
        #expect(try T5Configuration(path: path) == unusual)
    }

    @Test func `keys that may be absent have transformers' defaults`() throws {
        let least: [String: Any] = [
            "vocab_size": 100, "d_model": 8, "d_kv": 4, "d_ff": 16, "num_layers": 3, "num_heads": 2,
        ]
        let read = try configuration(least)
        #expect(read.decoderBlocks == 3 && read.positionBuckets == 32 && read.positionMaxDistance == 128)
        #expect(read.dropoutRate == 0.1 && read.normEpsilon == 1e-6 && read.feedForward == .relu)
        #expect(read.outputMatrix == .embedding && read.scalesOutput)
        #expect(read.decoderStartToken == 0 && read.padToken == 0 && read.endToken == 1)
        #expect(read.outputScale == 1 / Float(8).squareRoot() && read.innerWidth == 8)
        let untied = try configuration(least.merging(["tie_word_embeddings": false]) { $1 })
        #expect(untied.outputScale == 1)
        let padded = try configuration(least.merging(["pad_token_id": 6]) { $1 })
        #expect(padded.decoderStartToken == 6 && padded.padToken == 6)
    }

    @Test(arguments: ["vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_heads"])
    func `a size that is missing, no number, 0 or absurd is refused by its key`(key: String) throws {
        var settings = try settings()
        settings[key] = nil
        let missing = try #require(throws: Failure.self) { _ = try configuration(settings) }
        #expect(missing.code == .badData && missing.message.contains("\(key) is missing"))
        #expect(try refusal([key: "ten"]).contains("\(key) has a value of the wrong type"))
        for number in [192.5, 1e30] {
            let message = try refusal([key: number])
            #expect(message.contains("the key \(key) has a number that is not whole, or too large"), "\(message)")
        }
        for size in [0, -3, 20_000_000] {
            #expect(try refusal([key: size]).contains("\(key) is \(size)"))
        }
    }

    @Test func `sizes that each might be and together are absurd are refused`() throws {
        let heads = ["num_heads": 10_000_000, "d_kv": 10_000_000]
        #expect(try refusal(heads).contains("num_heads times d_kv is 100000000000000"))
        for changes in [
            ["d_model": 10_000_000, "vocab_size": 10_000_000], ["d_model": 10_000_000, "d_ff": 10_000_000],
            ["d_model": 10_000_000, "num_heads": 10_000_000, "d_kv": 1, "num_layers": 1000],
            ["relative_attention_num_buckets": 10_000_000, "num_heads": 10_000_000, "d_kv": 1],
        ] {
            #expect(try refusal(changes).contains(" weights, which no model has"))
        }
    }

    @Test func `options that are not supported are refused with what is`() throws {
        #expect(try refusal(["model_type": "bart"]).contains("model_type is bart, but only t5 and mt5"))
        #expect(try refusal(["feed_forward_proj": "gated-silu"]).contains("gated-silu, but only relu and gated-gelu"))
        #expect(try refusal(["num_decoder_layers": 0]).contains("num_decoder_layers is 0"))
        #expect(try refusal(["num_layers": 1001]).contains("more than 1000 blocks"))
        #expect(try refusal(["relative_attention_num_buckets": 3]).contains("relative_attention_num_buckets is 3"))
        #expect(try refusal(["relative_attention_max_distance": 4]).contains("relative_attention_max_distance is 4"))
        #expect(try refusal(["dropout_rate": 1]).contains("dropout_rate is 1"))
        #expect(try refusal(["dropout_rate": -0.1]).contains("dropout_rate is -0.1"))
        #expect(try refusal(["layer_norm_epsilon": 0]).contains("layer_norm_epsilon is 0"))
        for key in ["decoder_start_token_id", "pad_token_id", "eos_token_id"] {
            #expect(try refusal([key: 37]).contains("\(key) is 37, outside the vocabulary of 37"))
            #expect(try refusal([key: -1]).contains("\(key) is -1"))
        }
    }

    /// Python's reader takes the last value, this program's the first.
    @Test func `a key that occurs twice is refused`() throws {
        let directory = try TemporaryDirectory()
        let text = String(decoding: try JSONSerialization.data(withJSONObject: settings()), as: UTF8.self)
        let path = try directory.write("config.json", #"{"d_model": 12, "# + text.dropFirst())
        let failure = #expect(throws: Failure.self) { try T5Configuration(path: path) }
        #expect(failure?.code == .badData)
        #expect(failure?.message.contains("d_model occurs twice") == true, "\(failure?.message ?? "")")
    }

    @Test func `two keys that contradict each other are refused with both`() throws {
        func gated(_ changes: [String: Any]) throws -> String {
            let settings = try settings(.v11).merging(changes) { $1 }
            return try #require(throws: Failure.self) { _ = try configuration(settings) }.message
        }
        #expect(
            try gated(["dense_act_fn": "gelu"]).contains(
                "dense_act_fn is gelu, but feed_forward_proj gated-gelu is only supported with gelu_new"))
        #expect(
            try gated(["is_gated_act": false]).contains("is_gated_act is false, but feed_forward_proj is gated-gelu"))
        #expect(
            try refusal(["dense_act_fn": "gelu_new"]).contains("dense_act_fn is gelu_new, but feed_forward_proj relu"))
        #expect(try refusal(["is_gated_act": true]).contains("is_gated_act is true, but feed_forward_proj is relu"))
        #expect(try refusal(["hidden_size": 9]).contains("hidden_size is 9, but d_model, which is the same, is 12"))
        #expect(try refusal(["num_attention_heads": 3]).contains("num_heads"))
        #expect(try refusal(["num_hidden_layers": 3]).contains("num_layers"))
        let consistent: [String: Any] = [
            "dense_act_fn": "gelu_new", "is_gated_act": true, "hidden_size": 12, "tie_encoder_decoder": false,
            "pruned_heads": [String: Any](), "quantization_config": NSNull(),
        ]
        #expect(try configuration(settings(.v11).merging(consistent) { $1 }) == TinyT5.configuration(.v11))
    }

    @Test func `what gives other numbers than the model's is refused by its key`() throws {
        let changes: [(String, Any)] = [
            ("quantization_config", ["load_in_8bit": true]), ("tie_encoder_decoder", true),
            ("pruned_heads", ["0": [1]]),
            ("per_layer_config", [["d_ff": 3]]),
        ]
        for (key, value) in changes {
            #expect(try refusal([key: value]).contains("has \(key), which is not supported"))
        }
        for type in ["umt5", "longt5", "switch_transformers"] {
            #expect(try refusal(["model_type": type]).contains("model_type is \(type), but only t5 and mt5"))
        }
    }

    @Test func `a file that is missing or no JSON is refused`() throws {
        let directory = try TemporaryDirectory()
        let missing = try #require(throws: Failure.self) {
            _ = try T5Configuration(path: directory.file("config.json"))
        }
        #expect(missing.code == .inputMissing)
        for (text, reason) in [
            ("", "not valid JSON"), ("{", "not valid JSON"), ("{\"vocab_size\": }", "not valid JSON"),
            ("\u{0}", "not valid JSON"),
            ("[]", "not a JSON object"), ("7", "not a JSON object"),
        ] {
            let path = try directory.write("config.json", text)
            let failure = try #require(throws: Failure.self) { _ = try T5Configuration(path: path) }
            #expect(failure.code == .badData && failure.message.contains(path))
            #expect(failure.message.hasSuffix("it is \(reason)"), "\(failure.message)")
        }
    }
}
