import Failures
import Foundation
import Tensors

/// `config.json` as Hugging Face writes it; keys that do not matter here are ignored.
///
/// Some keys of transformers are here only to be refused: keys that repeat another key with another value, and keys that change
/// numbers in ways that this program does not support.
struct HuggingFaceConfiguration: Codable {
    /// A value; only its presence matters.
    struct Anything: Codable {
        init(from decoder: any Decoder) {}
        func encode(to encoder: any Encoder) throws {}
    }

    var model_type: String?
    var vocab_size: Int
    var d_model: Int
    var d_kv: Int
    var d_ff: Int
    var num_layers: Int
    var num_decoder_layers: Int?
    var num_heads: Int
    var relative_attention_num_buckets: Int?
    var relative_attention_max_distance: Int?
    var dropout_rate: Double?
    var layer_norm_epsilon: Double?
    var feed_forward_proj: String?
    var dense_act_fn: String?
    var is_gated_act: Bool?
    var tie_word_embeddings: Bool?
    var scale_decoder_outputs: Bool?
    var decoder_start_token_id: Int32?
    var pad_token_id: Int32?
    var eos_token_id: Int32?
    var hidden_size: Int?
    var num_attention_heads: Int?
    var num_hidden_layers: Int?
    var tie_encoder_decoder: Bool?
    var quantization_config: Anything?
    var per_layer_config: Anything?
    var pruned_heads: [String: Anything]?
}

extension HuggingFaceConfiguration {
    /// Reads a file. Throws `inputMissing` when there is none, and `badData` when it does not describe a T5.
    init(path: String) throws(Failure) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(
                .inputMissing, "\(path) cannot be read; a model is a Hugging Face T5 directory that holds config.json")
        }
        try self.init(BoundedJSON.content(of: path), path: path)
    }

    /// Reads the content of a file; `path` is for messages.
    init(_ data: Data, path: String) throws(Failure) {
        do {
            self = try BoundedJSON.decode(HuggingFaceConfiguration.self, from: data)
        } catch {
            throw Failure(.badData, "\(path) is not a T5 configuration: \(Self.explain(error, data))")
        }
        if let key = Self.repeatedKey(data) {
            // With two values, some readers use the first and others the last.
            throw Failure(.badData, "\(path): the key \(key.shown) occurs twice; take one of them out")
        }
        // Versions of transformers differ in what null means for these keys.
        let object = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any]
        for key in ["tie_word_embeddings", "scale_decoder_outputs"] where object?[key] is NSNull {
            throw Failure(.badData, "\(path): \(key) is null; write true or false, or take config.json from the model")
        }
    }

    /// The first key of a JSON object that occurs twice; nil when none does.
    private static func repeatedKey(_ data: Data) -> String? {
        var repeated: String?
        unsafe data.withUnsafeBytes { bytes in
            var reader = unsafe JSONReader(bytes)
            var keys: Set<[UInt8]> = []
            try? reader.object { (reader, key) throws(JSONReader.Problem) in
                if !keys.insert(Array(key.utf8)).inserted { repeated = repeated ?? key }
                try reader.skipValue()
            }
        }
        return repeated
    }

    /// The accepted values of `model_type`.
    static let modelTypes = ["t5", "mt5"]

    /// Whether it is an mT5, which has other defaults.
    var isMT5: Bool { model_type == "mt5" }

    /// The form of the feed-forward.
    ///
    /// transformers writes `dense_act_fn` and `is_gated_act` beside `feed_forward_proj`, and uses them even when they
    /// contradict it. Only the two forms of `FeedForward` are supported.
    func feedForward(path: String) throws(Failure) -> T5Configuration.FeedForward {
        let form = feed_forward_proj ?? (isMT5 ? "gated-gelu" : "relu")
        guard let feedForward = T5Configuration.FeedForward(rawValue: form) else {
            throw Failure(
                .badData, "\(path): feed_forward_proj is \(form.shown), but only relu and gated-gelu are supported")
        }
        // Both are names of the same function.
        let activations = feedForward == .relu ? ["relu"] : ["gelu_new", "gelu_pytorch_tanh"]
        if let name = dense_act_fn, !activations.contains(name) {
            throw Failure(
                .badData,
                "\(path): dense_act_fn is \(name.shown), but feed_forward_proj \(form) is only supported with "
                    + "\(activations[0]); take config.json from the model")
        }
        if let isGated = is_gated_act, isGated != (feedForward == .gatedGelu) {
            throw Failure(
                .badData,
                "\(path): is_gated_act is \(isGated), but feed_forward_proj is \(form); take config.json from the model"
            )
        }
        return feedForward
    }

    /// Refuses keys that would give other numbers than the model's.
    func refuseUnsupported(path: String) throws(Failure) {
        if let type = model_type, !Self.modelTypes.contains(type) {
            throw Failure(.badData, "\(path): model_type is \(type.shown), but only t5 and mt5 models can be used")
        }
        let present = [
            ("quantization_config", quantization_config != nil), ("per_layer_config", per_layer_config != nil),
            ("pruned_heads", pruned_heads?.isEmpty == false), ("tie_encoder_decoder", tie_encoder_decoder == true),
        ]
        if let (key, _) = present.first(where: { $0.1 }) {
            throw Failure(
                .badData,
                "\(path) has \(key), which is not supported; take the model as it was before, saved in float32, float16 or "
                    + "bfloat16")
        }
        // transformers' names for all models take precedence there.
        for (general, value, own, size) in [
            ("hidden_size", hidden_size, "d_model", d_model),
            ("num_attention_heads", num_attention_heads, "num_heads", num_heads),
            ("num_hidden_layers", num_hidden_layers, "num_layers", num_layers),
        ] {
            guard let value, value != size else { continue }
            throw Failure(
                .badData,
                "\(path): \(general) is \(value), but \(own), which is the same, is \(size); take config.json from the model"
            )
        }
    }

    private static func explain(_ error: any Error, _ data: Data) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "the key \(key.stringValue) is missing"
        case DecodingError.typeMismatch(_, let context) where context.codingPath.isEmpty: "it is not a JSON object"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "the key \(context.codingPath.last?.stringValue ?? "?") has a value of the wrong type"
        case is JSONReader.Problem: "it is not valid JSON"
        default:
            // The decoder does not say which key's number it could not read.
            brokenNumber(data).map { "the key \($0) has a number that is not whole, or too large" }
                ?? "it is not valid JSON"
        }
    }

    private static func brokenNumber(_ data: Data) -> String? {
        let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any]
        let wholeNumbers = [
            "vocab_size", "d_model", "d_kv", "d_ff", "num_layers", "num_decoder_layers", "num_heads",
            "relative_attention_num_buckets", "relative_attention_max_distance", "decoder_start_token_id",
            "pad_token_id", "eos_token_id",
        ]
        return wholeNumbers.first { key in
            guard let number = object?[key] as? Double else { return false }
            return number != number.rounded() || abs(number) >= 0x1p31
        }
    }
}
