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
        /// A value of which only the presence counts.
        struct Present: Decodable {
            init(from decoder: any Decoder) {}
        }

        var peft_type: String?
        var lora_alpha: Double?
        var alpha_pattern: [String: Double]?
        var use_rslora: Bool?
        var use_dora: Bool?
        var bias: String?
        var lora_bias: Bool?
        var fan_in_fan_out: Bool?
        var modules_to_save: [String]?
        var trainable_token_indices: Present?
        var target_parameters: [String]?
        var layer_replication: Present?
    }

    private static let prefix = "base_model.model."
    private static let endings = (a: ".lora_A.weight", b: ".lora_B.weight")

    /// Reads the adapter in a directory. Refuses by name what a low-rank method cannot compute.
    init(directory: String) throws(Failure) {
        let path = directory + "/adapter_config.json"
        guard let settings = try? BoundedJSON.decode(Settings.self, from: BoundedJSON.content(of: path)) else {
            throw Failure(.badData, "\(path) is not an adapter's configuration of PEFT")
        }
        try Self.refuseOther(settings, path)
        let weights = directory + "/adapter_model.safetensors"
        guard FileManager.default.fileExists(atPath: weights) else {
            throw Failure(
                .inputMissing,
                "\(weights) is missing; have PEFT save an adapter_model.bin again as safetensors first")
        }
        let file = try SafetensorsFile(path: weights)
        digest = try ContentDigest.of(file: weights)
        var sites: [Site] = []
        var known: Set<String> = []
        for tensor in file.tensors where tensor.name.hasSuffix(Self.endings.a) {
            let name = String(tensor.name.dropLast(Self.endings.a.count))
            let other = name + Self.endings.b
            guard let b = file[other], tensor.shape.count == 2, b.shape.count == 2, b.shape[1] == tensor.shape[0],
                tensor.shape[0] > 0
            else {
                throw Failure(.badData, "\(weights): \(tensor.name.shown) has no \(other.shown) that fits to it")
            }
            known.formUnion([tensor.name, other])
            let module = name.hasPrefix(Self.prefix) ? String(name.dropFirst(Self.prefix.count)) : name
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

    private static func refuseOther(_ settings: Settings, _ path: String) throws(Failure) {
        func refuse(_ what: String) -> Failure {
            Failure(
                .badData, "\(path): \(what), which this program cannot begin from; it reads LoRA adapters without it")
        }
        guard settings.peft_type?.uppercased() == "LORA" else {
            throw refuse("peft_type is \((settings.peft_type ?? "absent").shown)")
        }
        guard settings.lora_alpha?.isFinite ?? false else { throw refuse("lora_alpha is absent or not finite") }
        if settings.use_dora == true { throw refuse("use_dora is true") }
        if let bias = settings.bias, bias != "none" { throw refuse("bias is \(bias.shown)") }
        if settings.lora_bias == true { throw refuse("lora_bias is true") }
        if settings.fan_in_fan_out == true { throw refuse("fan_in_fan_out is true") }
        if let module = settings.modules_to_save?.first { throw refuse("modules_to_save names \(module.shown)") }
        if settings.trainable_token_indices != nil { throw refuse("trainable_token_indices is set") }
        if let name = settings.target_parameters?.first { throw refuse("target_parameters names \(name.shown)") }
        if settings.layer_replication != nil { throw refuse("layer_replication is set") }
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
