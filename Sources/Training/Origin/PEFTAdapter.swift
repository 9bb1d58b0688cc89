import Failures
import Foundation
import Tensors

/// A LoRA adapter as PEFT writes it: `adapter_config.json` and `adapter_model.safetensors`. Its sites may have different ranks and
/// factors.
struct PEFTAdapter {
    /// One adapted projection: `y += factor * (x A^T) B^T`.
    struct Site {
        /// The projection's path in the backbone.
        let module: String
        let rank: Int
        /// `[rank, in]`.
        let a: OriginTensor
        /// `[out, rank]`.
        let b: OriginTensor
        let factor: Double
    }

    let digest: ContentDigest
    /// In the order of the file.
    let sites: [Site]

    /// The keys of `adapter_config.json` that decide what the adapter computes.
    private struct Settings: Decodable {
        var peft_type: String?
        var lora_alpha: Double?
        var alpha_pattern: [String: Double]?
        var use_rslora: Bool?
        var modules_to_save: [String]?
    }

    /// A value of `adapter_config.json` of which only counts whether it asks for something.
    private enum Setting: Decodable {
        /// null, false, 0, or an empty text, list or mapping.
        case none
        case some(text: String)

        init(from decoder: any Decoder) throws {
            if let values = try? decoder.container(keyedBy: AnyKey.self) {
                self = values.allKeys.isEmpty ? .none : .some(text: "set")
            } else if let values = try? decoder.unkeyedContainer() {
                self = values.count == 0 ? .none : .some(text: "set")
            } else {
                let value = try decoder.singleValueContainer()
                if value.decodeNil() {
                    self = .none
                } else if let flag = try? value.decode(Bool.self) {
                    self = flag ? .some(text: "true") : .none
                } else if let number = try? value.decode(Double.self) {
                    self = number == 0 ? .none : .some(text: "\(number)")
                } else {
                    let text = try value.decode(String.self)
                    self = text.isEmpty ? .none : .some(text: text)
                }
            }
        }

        private struct AnyKey: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { return nil }
        }
    }

    /// Keys that are read above, and keys that do not change what the saved tensors compute. Any other one that is set is refused:
    /// newer versions of PEFT have variants whose tensors look like LoRA's.
    private static let harmless: Set = [
        "peft_type", "lora_alpha", "alpha_pattern", "use_rslora", "r", "rank_pattern", "auto_mapping",
        "base_model_name_or_path", "exclude_modules", "inference_mode", "layers_pattern", "layers_to_transform",
        "lora_dropout", "megatron_core", "peft_version", "qalora_group_size", "revision", "target_modules", "task_type",
        "ensure_weight_tying",
    ]
    /// Starts after which the base is the model's own; others, such as PiSSA's, change it.
    private static let starts: Set = ["true", "gaussian", "eva", "orthogonal"]

    /// Reads the adapter in a directory. Refuses by name what a low-rank method cannot compute.
    init(directory: String) throws(Failure) {
        let path = directory + "/" + PEFTNames.configuration
        let content = try BoundedJSON.content(of: path)
        guard let settings = try? BoundedJSON.decode(Settings.self, from: content) else {
            throw Failure(.badData, "\(path) is not an adapter's configuration of PEFT")
        }
        try Self.refuseOther(content, settings, path)
        let weights = directory + "/" + PEFTNames.weights
        guard FileManager.default.fileExists(atPath: weights) else {
            throw Failure(
                .inputMissing,
                "\(weights) is missing; have PEFT save an adapter_model.bin again as safetensors first")
        }
        let file = try SafetensorsFile(path: weights)
        digest = try Origin.digest(weights: ContentDigest.of(file: weights), configuration: content)
        var sites: [Site] = []
        var known: Set<String> = []
        for tensor in file.tensors where tensor.name.hasSuffix(PEFTNames.a) {
            let name = String(tensor.name.dropLast(PEFTNames.a.count))
            let other = name + PEFTNames.b
            guard let b = file[other], tensor.shape.count == 2, b.shape.count == 2, b.shape[1] == tensor.shape[0],
                tensor.shape[0] > 0
            else {
                throw Failure(.badData, "\(weights): \(tensor.name.shown) has no \(other.shown) that fits to it")
            }
            known.formUnion([tensor.name, other])
            let module = name.hasPrefix(PEFTNames.prefix) ? String(name.dropFirst(PEFTNames.prefix.count)) : name
            let (rank, alpha) = (tensor.shape[0], try Self.alpha(module, settings, path))
            sites.append(
                Site(
                    module: module, rank: rank,
                    a: OriginTensor(shape: tensor.shape, values: try file.readFloats(named: tensor.name)),
                    b: OriginTensor(shape: b.shape, values: try file.readFloats(named: other)),
                    factor: alpha / (settings.use_rslora == true ? Double(rank).squareRoot() : Double(rank))))
        }
        if let other = file.tensors.first(where: { !known.contains($0.name) }) {
            throw Failure(
                .badData, "\(weights) holds \(other.name.shown), which is no part of a LoRA adapter of linear layers")
        }
        guard !sites.isEmpty else { throw Failure(.badData, "\(weights) holds no tensor of an adapter") }
        self.sites = sites
    }

    private static func refuseOther(_ data: Data, _ settings: Settings, _ path: String) throws(Failure) {
        func refuse(_ what: String) -> Failure {
            Failure(
                .badData, "\(path): \(what), which this program cannot begin from; it reads LoRA adapters without it")
        }
        guard settings.peft_type?.uppercased() == "LORA" else {
            throw refuse("peft_type is \((settings.peft_type ?? "absent").shown)")
        }
        guard settings.lora_alpha?.isFinite ?? false else { throw refuse("lora_alpha is absent or not finite") }
        if let module = settings.modules_to_save?.first { throw refuse("modules_to_save names \(module.shown)") }
        guard let all = try? BoundedJSON.decode([String: Setting].self, from: data) else {
            throw Failure(.badData, "\(path) is not an adapter's configuration of PEFT")
        }
        for (key, setting) in all.sorted(by: { $0.key < $1.key }) where !harmless.contains(key) {
            guard case .some(let text) = setting else { continue }
            if key == "bias", text == "none" { continue }
            if key == "init_lora_weights", starts.contains(text.lowercased()) { continue }
            throw refuse("\(key.shown) is \(text.shown)")
        }
    }

    /// The alpha of a module: that of the pattern that matches the end of its path, else `lora_alpha`.
    private static func alpha(_ module: String, _ settings: Settings, _ path: String) throws(Failure) -> Double {
        var found: Set<Double> = []
        for (pattern, value) in settings.alpha_pattern ?? [:] {
            guard let expression = try? NSRegularExpression(pattern: "^(.*\\.)?(\(pattern))$") else {
                throw Failure(.badData, "\(path): alpha_pattern has \(pattern.shown), which is no regular expression")
            }
            let range = NSRange(module.startIndex..., in: module)
            if expression.firstMatch(in: module, range: range) != nil { found.insert(value) }
        }
        guard found.count <= 1 else {
            throw Failure(
                .badData,
                "\(path): several patterns of alpha_pattern match \(module.shown) with different values; name it once")
        }
        return found.first ?? settings.lora_alpha ?? .nan
    }
}
