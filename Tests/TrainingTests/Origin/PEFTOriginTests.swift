import Adapters
import Backbone
import Configuration
import Failures
import Foundation
import T5
import Tensors
import TestSupport
import Testing

@testable import Training

/// Runs that begin with a LoRA adapter in PEFT's format.
@Suite struct PEFTOriginTests {
    private static let shape: T5Configuration = {
        var shape = T5Configuration.presets[0].configuration
        (shape.vocabularySize, shape.modelWidth, shape.headWidth, shape.heads) = (64, 12, 4, 2)
        (shape.feedForwardWidth, shape.encoderBlocks, shape.decoderBlocks) = (16, 1, 1)
        return shape
    }()
    private static let q = "encoder.block.0.layer.0.SelfAttention.q"
    private static let v = "decoder.block.0.layer.1.EncDecAttention.v"

    /// Writes an adapter of the sites with these ranks; the elements of A are 1, 2, ..., those of B their negatives.
    private static func write(
        _ directory: TemporaryDirectory, _ ranks: [String: Int], settings: String = "\"lora_alpha\": 8"
    ) throws {
        try directory.write("adapter_config.json", "{\"peft_type\": \"LORA\", \"r\": 4, \(settings)}")
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        for (module, rank) in ranks.sorted(by: { $0.key < $1.key }) {
            let name = "base_model.model." + module
            try writer.add(name + ".lora_A.weight", [rank, 12], (1...rank * 12).map(Float.init))
            try writer.add(name + ".lora_B.weight", [8, rank], (1...rank * 8).map { -Float($0) })
        }
        try writer.write(to: directory.file("adapter_model.safetensors"))
    }

    /// The weights of a run with the rank and alpha that begins with the adapter, and their layout; `start` is what they were.
    private static func begin(
        _ directory: TemporaryDirectory, rank: Int, alpha: Double, method: LowRankOptions.Method = .unolora,
        targets: LoraTargets = .queryAndValue, freezesB: Bool = false
    ) throws -> (weights: Arena, start: Arena, method: LowRankMethod) {
        var options = LowRankOptions(method: method, rankA: rank, alpha: alpha, tasks: 2, targets: targets)
        options.freezesB = freezesB
        let method = LowRankMethod(options, on: shape)
        let (weights, start) = (Arena(count: method.parameters.count), Arena(count: method.parameters.count))
        for arena in [weights, start] { method.initialise(arena, seed: 5) }
        var adapter = AdapterConfiguration(method: options.method.rawValue, rank: rank, alpha: alpha, tasks: 2)
        adapter.taskNames = ["one", "two"]
        let warm = try WarmStart(
            origin: Origin(directory: directory.path), method: method, shape: shape, adapter: adapter, newTask: .mean)
        #expect(try warm.apply(to: weights, backbone: "any").isEmpty)
        return (weights, start, method)
    }

    private static func failure(_ body: () throws -> Void) -> Failure? {
        do {
            try body()
            return nil
        } catch {
            return error as? Failure
        }
    }

    @Test func `with its own rank and alpha nothing is rounded, and other sites keep their start`() throws {
        let directory = try TemporaryDirectory()
        try Self.write(directory, [Self.q: 4])
        let (weights, start, method) = try Self.begin(directory, rank: 4, alpha: 8)
        for entry in method.parameters.entries {
            let values = Array(weights.elements[entry.range])
            switch entry.name {
            case Self.q + ".lora_A.weight": #expect(values == (1...48).map(Float.init))
            case Self.q + ".lora_B.weight": #expect(values == (1...32).map { -Float($0) })
            default: #expect(values == Array(start.elements[entry.range]), "\(entry.name)")
            }
        }
    }

    /// The update of a site, factor * B A, as the run computes it.
    private static func update(_ weights: Arena, _ method: LowRankMethod, _ module: String, factor: Double) -> [Double]
    {
        guard let a = method.parameters[module + ".lora_A.weight"], let b = method.parameters[module + ".lora_B.weight"]
        else { return [] }
        let (left, right) = (weights.matrix(b), weights.matrix(a))
        return (0..<8).flatMap { row in
            (0..<12).map { column in
                factor * (0..<a.shape[0]).reduce(0.0) { $0 + Double(left[row, $1]) * Double(right[$1, column]) }
            }
        }
    }

    @Test(arguments: [
        // lora_alpha / r and its patterns; 6 / 2 and 8 / 4, with rank-stabilised roots 6 / sqrt(2) and 8 / sqrt(4).
        (
            "\"lora_alpha\": 8, \"alpha_pattern\": {\"SelfAttention.q\": 6}, \"init_lora_weights\": true, \"loftq_config\": {}",
            3.0, 2.0
        ),
        ("\"lora_alpha\": 8, \"alpha_pattern\": {\"encoder.*q\": 6}, \"use_rslora\": true", 6 / 2.0.squareRoot(), 4.0),
    ])
    func `sites with ranks and factors of their own add what they added before`(
        settings: String, ofQ: Double, ofV: Double
    ) throws {
        let directory = try TemporaryDirectory()
        try Self.write(directory, [Self.q: 2, Self.v: 4], settings: settings)
        let (weights, start, method) = try Self.begin(directory, rank: 5, alpha: 7)
        for (module, rank, factor) in [(Self.q, 2, ofQ), (Self.v, 4, ofV)] {
            let found = Self.update(weights, method, module, factor: 7 / 5)
            var expected: [Double] = []
            for row in 0..<8 {
                for column in 0..<12 {
                    let sum = (0..<rank).reduce(0.0) {
                        $0 - Double(row * rank + $1 + 1) * Double($1 * 12 + column + 1)
                    }
                    expected.append(factor * sum)
                }
            }
            #expect(found.count == expected.count)
            for (x, y) in zip(found, expected) { #expect(abs(x - y) <= 1e-6 * abs(y)) }
            // What the adapter lacks can still learn: A has its random start there.
            let a = try #require(method.parameters[module + ".lora_A.weight"])
            let rest = a.offset + rank * 12..<a.range.upperBound
            #expect(Array(weights.elements[rest]) == Array(start.elements[rest]))
            #expect(weights.elements[rest].contains { $0 != 0 })
        }
    }

    @Test(arguments: [
        ("\"lora_alpha\": 8, \"use_dora\": true", "use_dora"), ("\"lora_alpha\": 8, \"bias\": \"all\"", "bias"),
        ("\"lora_alpha\": 8, \"modules_to_save\": [\"lm_head\"]", "modules_to_save names lm_head"),
        ("\"lora_alpha\": 8, \"fan_in_fan_out\": true", "fan_in_fan_out"),
        ("\"lora_alpha\": 8, \"layer_replication\": [[0, 1]]", "layer_replication"),
        ("\"lora_alpha\": 8, \"trainable_token_indices\": {\"embed\": [1]}", "trainable_token_indices"),
        ("\"r\": 4", "lora_alpha"),
        ("\"lora_alpha\": 8, \"init_lora_weights\": \"pissa\"", "init_lora_weights is pissa"),
        ("\"lora_alpha\": 8, \"alora_invocation_tokens\": [5]", "alora_invocation_tokens"),
        ("\"lora_alpha\": 8, \"alpha_pattern\": {\"q\": 2, \".*q\": 3}", "several patterns"),
    ])
    func `what no low-rank method computes is refused by name`(settings: String, name: String) throws {
        let directory = try TemporaryDirectory()
        try Self.write(directory, [Self.q: 4], settings: settings)
        let refusal = Self.failure { _ = try Origin(directory: directory.path) }
        #expect(refusal?.code == .badData && refusal?.message.contains(name) == true, "\(refusal?.message ?? "none")")
    }

    @Test func `a frozen B needs an adapter that has every projection`() throws {
        let directory = try TemporaryDirectory()
        try Self.write(directory, [Self.q: 2, Self.v: 4])
        let refused = Self.failure { _ = try Self.begin(directory, rank: 4, alpha: 8, freezesB: true) }
        #expect(
            refused?.code == .badConfiguration
                && refused?.message.contains("does not adapt encoder.block.0.layer.0.SelfAttention.v, where") == true,
            "\(refused?.message ?? "none")")
        // A smaller rank at one of them leaves zeros in its B, as every smaller rank does.
        let both = LoraTargets(encoderSelf: ["q"], decoderSelf: [], decoderCross: ["v"], feedForward: [])
        let (weights, _, method) = try Self.begin(directory, rank: 4, alpha: 8, targets: both, freezesB: true)
        #expect(method.trained.layout.entries.map(\.name) == [Self.q, Self.v].map { $0 + ".lora_A.weight" })
        #expect(weights.elements.contains { $0 == -2 })
    }

    @Test func `a rank too small, a site too many and another method are refused with what to set`() throws {
        let directory = try TemporaryDirectory()
        try Self.write(directory, [Self.q: 4])
        let small = Self.failure { _ = try Self.begin(directory, rank: 3, alpha: 8) }
        #expect(small?.code == .badConfiguration && small?.message.contains("set lora.rank to 4") == true)
        let other = Self.failure { _ = try Self.begin(directory, rank: 4, alpha: 8, method: .loraPerTask) }
        #expect(other?.message.contains("only method unolora") == true)
        try Self.write(directory, ["encoder.block.0.layer.0.SelfAttention.k": 4])
        let site = Self.failure { _ = try Self.begin(directory, rank: 4, alpha: 8) }
        #expect(site?.message.contains("name it in lora.targets") == true)
        try Self.write(directory, [:])
        #expect(Self.failure { _ = try Origin(directory: directory.path) }?.message.contains("no tensor") == true)
        let empty = try TemporaryDirectory()
        #expect(Self.failure { _ = try Origin(directory: empty.path) }?.code == .inputMissing)
    }
}
