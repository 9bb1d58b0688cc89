import Backbone
import Failures
import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

@testable import T5

@Suite struct ModelLoadingTests {
    private static let query = "encoder.block.1.layer.0.SelfAttention.q.weight"

    /// Writes the directory, loads it and returns the refusal.
    private func refusal(_ change: (inout ModelDirectory) -> Void) throws -> Failure {
        var directory = try ModelDirectory()
        change(&directory)
        try directory.write()
        return try #require(throws: Failure.self) {
            _ = try T5Model.load(directory: directory.path, maximumLength: 32)
        }
    }

    private func logits(_ directory: ModelDirectory) throws -> [Float] {
        let model = try T5Model.load(directory: directory.path, maximumLength: 32)
        let engine = T5Engine(model: model, adaptation: nil)
        defer { withExtendedLifetime(engine) {} }
        return engine.logits(TinyT5.batch()).copied()
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `every tensor is read where it belongs`(family: TinyT5.Family) throws {
        let directory = try ModelDirectory(family)
        try directory.write()
        let model = try T5Model.load(directory: directory.path, maximumLength: 32)
        #expect(model.configuration == TinyT5.configuration(family))
        #expect(model.embedding.copied() == directory.floats("shared.weight"))
        #expect(model.output.parts[0].copied() == directory.floats(family == .v10 ? "shared.weight" : "lm_head.weight"))
        for group in model.groups {
            for (projection, weight) in zip(group.projections, model.weights(group).parts) {
                #expect(weight.copied() == directory.floats(projection.name + ".weight"))
                #expect(weight.rows == projection.outputWidth && weight.columns == projection.inputWidth)
            }
        }
        #expect(directory.tensors.count == model.configuration.tensorShapes().count)
    }

    @Test func `the digest tells models apart that compute different numbers`() throws {
        func digest(_ change: (inout ModelDirectory) -> Void = { _ in }) throws -> ContentDigest {
            var directory = try ModelDirectory()
            change(&directory)
            try directory.write()
            return try T5Model.check(directory: directory.path)
        }
        let all = [
            try digest(), try digest { $0.tensors[Self.query]?.bytes[0] ^= 1 },
            try digest { _ = $0.convert(Self.query, to: "F16") }, try digest { $0.settings["dropout_rate"] = 0.3 },
            try digest { $0.settings["layer_norm_epsilon"] = 1e-5 }, try digest { $0.settings["eos_token_id"] = 3 },
            try digest { $0.settings["relative_attention_max_distance"] = 64 },
        ]
        #expect(Set(all).count == all.count)
        #expect(try digest() == all[0])
        #expect(try digest { $0.settings["_name_or_path"] = "elsewhere" } == all[0])
    }

    @Test func `files are known again by another path, copies and changed files are others`() throws {
        var directory = try ModelDirectory()
        let copy = try ModelDirectory()
        for directory in [directory, copy] { try directory.write() }
        let identity = try T5Model.fileIdentity(directory: directory.path)
        let link = try TemporaryDirectory()
        try FileManager.default.createSymbolicLink(atPath: link.file("m"), withDestinationPath: directory.path)
        #expect(try T5Model.fileIdentity(directory: link.file("m")) == identity)
        #expect(try T5Model.fileIdentity(directory: copy.path) != identity)
        directory.settings["dropout_rate"] = 0.25
        try directory.write()
        #expect(try T5Model.fileIdentity(directory: directory.path) != identity)
    }

    @Test func `a missing tensor is refused by name`() throws {
        for name in [Self.query, "shared.weight", "decoder.final_layer_norm.weight"] {
            let failure = try refusal { $0.tensors[name] = nil }
            #expect(failure.code == .badData && failure.message.contains("\(name) is missing"))
        }
    }

    @Test func `an extra tensor is refused by name`() throws {
        let failure = try refusal { $0.tensors["encoder.block.7.extra"] = $0.tensors["shared.weight"] }
        #expect(failure.code == .badData && failure.message.contains("encoder.block.7.extra does not belong"))
        // If the configuration says that the output is tied, a separate output matrix is an alias; otherwise it is not.
        var untied = try ModelDirectory(.v11)
        untied.tensors["lm_head.weight"] = nil
        try untied.write()
        let missing = try #require(throws: Failure.self) {
            _ = try T5Model.load(directory: untied.path, maximumLength: 32)
        }
        #expect(missing.message.contains("lm_head.weight is missing"))
    }

    @Test func `a misshapen tensor is refused with both shapes`() throws {
        let failure = try refusal { $0.tensors[Self.query]?.shape = [12, 10] }
        #expect(failure.code == .badData && failure.message.contains(Self.query))
        #expect(failure.message.contains("[12, 10]") && failure.message.contains("[10, 12]"))
        let flat = try refusal { $0.tensors[Self.query]?.shape = [120] }
        #expect(flat.message.contains("[120]"))
        let alias = try refusal {
            $0.tensors["decoder.embed_tokens.weight"] = $0.tensors["shared.weight"]
            $0.tensors["decoder.embed_tokens.weight"]?.shape = [12, 37]
        }
        #expect(alias.code == .badData && alias.message.contains("decoder.embed_tokens.weight has shape [12, 37]"))
    }

    @Test(arguments: [("F64", 8), ("I32", 4), ("I8", 1), ("BOOL", 1), ("F8_E4M3", 1)])
    func `a tensor of another type is refused`(type: (name: String, width: Int)) throws {
        let failure = try refusal {
            $0.tensors[Self.query]?.type = type.name
            $0.tensors[Self.query]?.bytes = Data(count: 120 * type.width)
        }
        #expect(failure.code == .badData && failure.message.contains(Self.query))
        #expect(failure.message.contains(type.name) && failure.message.contains("F32, F16 and BF16"))
    }

    @Test func `tied aliases may be there, and stand in for a missing embedding`() throws {
        var directory = try ModelDirectory()
        try directory.write()
        let expected = try logits(directory)
        let shared = directory.tensors["shared.weight"]
        for alias in ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"] {
            directory.tensors[alias] = shared
        }
        try directory.write()
        #expect(try logits(directory) == expected)
        directory.tensors["shared.weight"] = nil
        try directory.write()
        #expect(try logits(directory) == expected)
    }

    @Test func `the unused cross-attention bias of old conversions is ignored`() throws {
        var directory = try ModelDirectory()
        try directory.write()
        let expected = try logits(directory)
        directory.tensors["decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight"] =
            directory.tensors["decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight"]
        try directory.write()
        #expect(try logits(directory) == expected)
    }

    @Test(arguments: ["F16", "BF16"])
    func `half-precision tensors have the values that they round to`(type: String) throws {
        var directory = try ModelDirectory(.v11)
        var expected: [String: [Float]] = [:]
        for name in directory.tensors.keys { expected[name] = directory.convert(name, to: type) }
        try directory.write()
        let model = try T5Model.load(directory: directory.path, maximumLength: 32)
        #expect(model.embedding.copied() == expected["shared.weight"])
        #expect(model.output.parts[0].copied() == expected["lm_head.weight"])
        for group in model.groups {
            for (projection, weight) in zip(group.projections, model.weights(group).parts) {
                #expect(weight.copied() == expected[projection.name + ".weight"])
            }
        }
        #expect(try logits(directory).allSatisfy { $0.isFinite })
    }

    @Test func `types may be mixed in one file`() throws {
        var directory = try ModelDirectory()
        let half = directory.convert(Self.query, to: "F16")
        let brain = directory.convert("shared.weight", to: "BF16")
        try directory.write()
        let model = try T5Model.load(directory: directory.path, maximumLength: 32)
        let group = try #require(model.groups.first { $0.projections.contains { $0.name + ".weight" == Self.query } })
        #expect(model.weights(group).parts[0].copied() == half)
        #expect(model.weights(group).parts[1].copied() == directory.floats(group.projections[1].name + ".weight"))
        #expect(model.embedding.copied() == brain)
    }

    @Test(arguments: ["F32", "F16", "BF16"])
    func `kept in bfloat16 the matrices are rounded, and what is BF16 already stays in the file`(type: String) throws {
        var directory = try ModelDirectory(.v11)
        for name in directory.tensors.keys where type != "F32" { directory.convert(name, to: type) }
        try directory.write()
        let exact = try T5Model.load(directory: directory.path, maximumLength: 32)
        var asked = 0
        let model = try T5Model.load(directory: directory.path, maximumLength: 32, format: .bfloat16) {
            bytes throws(Failure) in
            asked += bytes
            return PrivateFrozenMemory(byteCount: bytes)
        }
        func expectRounded(_ kept: FrozenWeight, _ exact: FrozenWeight) {
            guard kept.format == .bfloat16 else {
                Issue.record("kept in float32")
                return
            }
            #expect(kept.copied() == exact.copied().map { floatFromBFloat16(bfloat16(nearest: $0)) })
        }
        expectRounded(model.embedding, exact.embedding)
        expectRounded(model.output.parts[0], exact.output.parts[0])
        for group in model.groups {
            for (kept, exact) in zip(model.weights(group).parts, exact.weights(group).parts) {
                expectRounded(kept, exact)
            }
        }
        #expect(model.isRoundedFromMapped == (type == "F32") && !exact.isRoundedFromMapped)
        let whole = model.configuration.weightBytes(.float32)
        let matrices = whole - model.configuration.weightBytes(.bfloat16)
        // Norms and biases are kept in float32.
        let others = whole - 2 * matrices
        switch type {
        case "F32": #expect((matrices..<matrices + 64 * 100).contains(asked))
        case "F16": #expect(asked >= matrices + others)
        default: #expect((others..<others + 64 * 100).contains(asked))
        }
        // The engine can compute with the weights.
        let batch = TinyT5.batch()
        let engine = T5Engine(model: model, adaptation: nil)
        let kept = engine.logits(batch).copied()
        // The engine's workspace holds the logits.
        withExtendedLifetime(engine) {}
        let expected = try logits(directory)
        // Rounding changes a weight by up to 2^-9 of its size; four blocks in sequence may add up to several times that.
        let bound = type == "BF16" ? 0 : 0.05
        #expect(largestDifference(kept, expected) <= bound * largestMagnitude(expected))
        #expect((kept == expected) == (type == "BF16"), "in one piece a product is the same")
    }

    @Test func `shards give the same model as one file`() throws {
        let directory = try ModelDirectory(.v11)
        try directory.write()
        let expected = try logits(directory)
        let sharded = try ModelDirectory(.v11)
        try sharded.writeSharded(3)
        #expect(try logits(sharded) == expected)
    }

    @Test func `memory for conversion is asked for once, and only where something is converted`() throws {
        var asked: [Int] = []
        func load(_ directory: ModelDirectory) throws {
            _ = try T5Model.load(directory: directory.path, maximumLength: 32) { bytes throws(Failure) in
                asked.append(bytes)
                return PrivateFrozenMemory(byteCount: bytes)
            }
        }
        var directory = try ModelDirectory()
        directory.convert("shared.weight", to: "F16")
        directory.convert(Self.query, to: "BF16")
        try directory.write()
        try load(directory)
        // [37, 12] and [10, 12] floats, each padded to 64 bytes.
        #expect(asked.count == 1 && asked[0] >= 4 * (37 * 12 + 10 * 12) && asked[0] % 64 == 0)
    }

    @Test func `a directory without a model is refused`() throws {
        let empty = try TemporaryDirectory()
        for path in ["/no/such/model", empty.path] {
            let failure = try #require(throws: Failure.self) {
                _ = try T5Model.load(directory: path, maximumLength: 32)
            }
            #expect(failure.code == .inputMissing && failure.message.contains(path))
        }
        let directory = try ModelDirectory()
        try directory.write()
        try FileManager.default.removeItem(atPath: directory.path + "/model.safetensors")
        try Data().write(to: URL(fileURLWithPath: directory.path + "/pytorch_model.bin"))
        let pickled = try #require(throws: Failure.self) {
            _ = try T5Model.load(directory: directory.path, maximumLength: 32)
        }
        #expect(pickled.code == .inputMissing && pickled.message.contains("pytorch_model.bin"))
    }
}
