import Backbone
public import Failures
public import Foundation
import Tensors

extension T5Configuration {
    /// Reads `config.json` of a model directory whose weights need not be there.
    ///
    /// Throws `inputMissing` when there is none, and `badData` when it does not describe a T5 or an option is not supported. If
    /// the file leaves open whether the model has its own output matrix, the headers of the weights decide. Without weights the
    /// model counts as having one, since that takes more memory.
    public init(directory: String) throws(Failure) {
        let path = directory + "/config.json"
        let raw = try HuggingFaceConfiguration(path: path)
        var form = try OutputForm(raw, hasOwn: nil, path: path)
        // Errors in the weights are left to the code that reads them.
        if form.isOpen, let files = try? TensorCollection(directory: directory) {
            form = try OutputForm(raw, hasOwn: OutputForm.hasOwn(files), path: path)
        }
        try self.init(raw, form, path: path)
    }

    /// Reads `config.json` like `init(directory:)`, but never looks at the weights.
    public init(path: String) throws(Failure) {
        let raw = try HuggingFaceConfiguration(path: path)
        try self.init(raw, OutputForm(raw, hasOwn: nil, path: path), path: path)
    }

    /// Reads the content of `config.json`; `path` is for messages.
    init(_ data: Data, path: String) throws(Failure) {
        let raw = try HuggingFaceConfiguration(data, path: path)
        try self.init(raw, OutputForm(raw, hasOwn: nil, path: path), path: path)
    }

    /// Combines what the file says with defaults for what it leaves open.
    init(_ raw: HuggingFaceConfiguration, _ form: OutputForm, path: String) throws(Failure) {
        try raw.refuseUnsupported(path: path)
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
        feedForward = try raw.feedForward(path: path)
        (outputMatrix, scalesOutput) = (form.matrix, form.isScaled)
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
        // All sizes and products below are computed in whole numbers, which are large enough under this limit.
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

    /// The text of `config.json` for this model, as transformers of versions 4 and 5 read it: version 4 scales the output
    /// where `tie_word_embeddings` is true, version 5 where `scale_decoder_outputs` is.
    public func json() throws -> Data {
        let raw = HuggingFaceConfiguration(
            model_type: "t5", vocab_size: vocabularySize, d_model: modelWidth, d_kv: headWidth, d_ff: feedForwardWidth,
            num_layers: encoderBlocks, num_decoder_layers: decoderBlocks, num_heads: heads,
            relative_attention_num_buckets: positionBuckets, relative_attention_max_distance: positionMaxDistance,
            dropout_rate: dropoutRate, layer_norm_epsilon: Double("\(normEpsilon)"),
            feed_forward_proj: feedForward.rawValue,
            tie_word_embeddings: outputMatrix == .embedding, scale_decoder_outputs: scalesOutput,
            decoder_start_token_id: decoderStartToken, pad_token_id: padToken, eos_token_id: endToken)
        let own = try StableJSON.line(raw, "the model's configuration")
        var object = try JSONSerialization.jsonObject(with: own) as? [String: Any] ?? [:]
        object["architectures"] = ["T5ForConditionalGeneration"]
        object["is_encoder_decoder"] = true
        return try JSONSerialization.data(withJSONObject: object, options: [.prettyPrinted, .sortedKeys])
    }
}
