import Failures
import Foundation
import Tensors

/// The shape of a T5 model, as Hugging Face's `config.json` gives it.
public struct T5Configuration: Sendable, Equatable, Encodable {
    /// What stands between the two matrices of the feed-forward.
    public enum FeedForward: String, Sendable, Encodable {
        /// `relu(x wi^T) wo^T`: T5 v1.0.
        case relu
        /// `(gelu_new(x wi_0^T) * (x wi_1^T)) wo^T`: T5 v1.1, FLAN, mT5.
        case gatedGelu = "gated-gelu"
    }

    /// Rows of the embedding (at least the number of pieces of the vocabulary).
    public var vocabularySize: Int
    /// Width of the residual stream, d.
    public var modelWidth: Int
    /// Width of one attention head, d_kv.
    public var headWidth: Int
    /// Width inside the feed-forward, d_ff.
    public var feedForwardWidth: Int
    /// Encoder blocks.
    public var encoderBlocks: Int
    /// Decoder blocks.
    public var decoderBlocks: Int
    /// Attention heads.
    public var heads: Int
    /// Buckets of the relative position bias.
    public var positionBuckets: Int
    /// Distance from which on all positions share the last bucket.
    public var positionMaxDistance: Int
    /// Dropout at T5's places in training.
    public var dropoutRate: Double
    /// Added to the mean square in the layer norm.
    public var normEpsilon: Float
    /// Form of the feed-forward.
    public var feedForward: FeedForward
    /// Whether the output matrix is the embedding; then the decoder's output is scaled by d^-1/2.
    public var tiedEmbeddings: Bool
    /// First input of the decoder.
    public var decoderStartToken: Int32
    /// Id of padding.
    public var padToken: Int32
    /// Id of the end of a text.
    public var endToken: Int32

    /// Width of all heads together, `heads * d_kv`; may differ from d.
    public var innerWidth: Int { heads * headWidth }
    /// What the decoder's output is multiplied by before the output matrix.
    public var outputScale: Float { tiedEmbeddings ? 1 / Float(modelWidth).squareRoot() : 1 }

    /// Blocks of a stack.
    public func blocks(_ stack: Stack) -> Int { stack == .encoder ? encoderBlocks : decoderBlocks }
}

/// One of the two halves of the model.
public enum Stack: UInt32, Sendable, CaseIterable {
    case encoder = 0
    case decoder = 1

    /// The name in tensor paths.
    public var name: String { self == .encoder ? "encoder" : "decoder" }
}

/// `config.json` as Hugging Face writes it; keys that do not matter here are ignored.
struct HuggingFaceConfiguration: Codable {
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
    var tie_word_embeddings: Bool?
    var decoder_start_token_id: Int32?
    var pad_token_id: Int32?
    var eos_token_id: Int32?
}

extension T5Configuration {
    /// Reads `config.json`.
    ///
    /// Throws `inputMissing` when there is none, `badData` when it is no T5's or an option is not supported.
    public init(path: String) throws(Failure) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(
                .inputMissing, "\(path) cannot be read; a model is a Hugging Face T5 directory that holds config.json")
        }
        try self.init(BoundedJSON.content(of: path), path: path)
    }

    /// Reads the content of `config.json`; `path` is for messages.
    init(_ data: Data, path: String) throws(Failure) {
        let raw: HuggingFaceConfiguration
        do {
            raw = try BoundedJSON.decode(HuggingFaceConfiguration.self, from: data)
        } catch {
            throw Failure(.badData, "\(path) is not a T5 configuration: \(Self.explain(error, data))")
        }
        try self.init(raw, path: path)
    }

    private init(_ raw: HuggingFaceConfiguration, path: String) throws(Failure) {
        if let type = raw.model_type, !["t5", "mt5"].contains(type) {
            throw Failure(.badData, "\(path): model_type is \(type.shown), but only t5 and mt5 models can be used")
        }
        let form = raw.feed_forward_proj ?? "relu"
        guard let feedForward = FeedForward(rawValue: form) else {
            throw Failure(
                .badData, "\(path): feed_forward_proj is \(form.shown), but only relu and gated-gelu are supported")
        }
        vocabularySize = raw.vocab_size
        modelWidth = raw.d_model
        headWidth = raw.d_kv
        feedForwardWidth = raw.d_ff
        encoderBlocks = raw.num_layers
        decoderBlocks = raw.num_decoder_layers ?? raw.num_layers
        heads = raw.num_heads
        positionBuckets = raw.relative_attention_num_buckets ?? 32
        positionMaxDistance = raw.relative_attention_max_distance ?? 128
        dropoutRate = raw.dropout_rate ?? 0.1
        normEpsilon = Float(raw.layer_norm_epsilon ?? 1e-6)
        self.feedForward = feedForward
        tiedEmbeddings = raw.tie_word_embeddings ?? true
        decoderStartToken = raw.decoder_start_token_id ?? raw.pad_token_id ?? 0
        padToken = raw.pad_token_id ?? 0
        endToken = raw.eos_token_id ?? 1
        try check(path: path)
    }

    private func check(path: String) throws(Failure) {
        let sizes = [
            ("vocab_size", vocabularySize), ("d_model", modelWidth), ("d_kv", headWidth), ("d_ff", feedForwardWidth),
            ("num_layers", encoderBlocks), ("num_decoder_layers", decoderBlocks), ("num_heads", heads),
            ("relative_attention_num_buckets", positionBuckets),
            ("relative_attention_max_distance", positionMaxDistance),
        ]
        for (name, size) in sizes where size < 1 || size > 10_000_000 {
            throw Failure(.badData, "\(path): \(name) is \(size), which no model has; take config.json from the model")
        }
        guard encoderBlocks <= 1000, decoderBlocks <= 1000 else {
            throw Failure(.badData, "\(path): more than 1000 blocks are not supported")
        }
        guard innerWidth <= 10_000_000 else {
            throw Failure(
                .badData,
                "\(path): num_heads times d_kv is \(innerWidth), which no model has; take config.json from the model")
        }
        // Every size and product of what follows is computed in whole numbers, which hold this.
        guard weightCount <= 1_000_000_000_000 else {
            throw Failure(
                .badData,
                "\(path): vocab_size, d_model, d_ff and the numbers of heads and layers make \(weightCount) weights, which "
                    + "no model has; take config.json from the model")
        }
        guard positionBuckets >= 4, positionMaxDistance > positionBuckets / 2 else {
            throw Failure(
                .badData,
                "\(path): relative_attention_num_buckets is \(positionBuckets) and relative_attention_max_distance is "
                    + "\(positionMaxDistance); at least 4 buckets and a distance above half of them are needed")
        }
        guard dropoutRate >= 0, dropoutRate < 1 else {
            throw Failure(.badData, "\(path): dropout_rate is \(dropoutRate), but must be at least 0 and below 1")
        }
        guard normEpsilon > 0, normEpsilon < 1 else {
            throw Failure(.badData, "\(path): layer_norm_epsilon is \(normEpsilon), but must be above 0 and below 1")
        }
        for (name, id) in [
            ("decoder_start_token_id", decoderStartToken), ("pad_token_id", padToken), ("eos_token_id", endToken),
        ] where id < 0 || Int(id) >= vocabularySize {
            throw Failure(.badData, "\(path): \(name) is \(id), outside the vocabulary of \(vocabularySize)")
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
            // The decoder does not say of which key a number cannot be read.
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

    /// The text of `config.json` for this model, as Hugging Face reads it.
    public func json() throws -> Data {
        let raw = HuggingFaceConfiguration(
            model_type: "t5", vocab_size: vocabularySize, d_model: modelWidth, d_kv: headWidth, d_ff: feedForwardWidth,
            num_layers: encoderBlocks, num_decoder_layers: decoderBlocks, num_heads: heads,
            relative_attention_num_buckets: positionBuckets, relative_attention_max_distance: positionMaxDistance,
            dropout_rate: dropoutRate, layer_norm_epsilon: Double("\(normEpsilon)"),
            feed_forward_proj: feedForward.rawValue,
            tie_word_embeddings: tiedEmbeddings, decoder_start_token_id: decoderStartToken, pad_token_id: padToken,
            eos_token_id: endToken)
        let own = try StableJSON.line(raw, "the model's configuration")
        var object = try JSONSerialization.jsonObject(with: own) as? [String: Any] ?? [:]
        object["architectures"] = ["T5ForConditionalGeneration"]
        object["is_encoder_decoder"] = true
        return try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    }
}
