import Adapters
import Backbone
import Backbones
import Failures
import Foundation
import Kernels
import T5
import Tensors
import TestSupport
import Testing

@testable import Exports

@Suite struct MergedModelTests {
    init() { BLAS.useOneThread() }

    /// Writes a merged model and returns its directory.
    private static func merge(
        _ base: String, _ change: any WeightChange, _ directory: TemporaryDirectory
    ) throws -> (path: String, cost: RoundingCost) {
        let path = directory.file("merged-\(UUID().uuidString)")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return (path, try MergedModel(base: base, change: change).write(into: path))
    }

    @Test(arguments: TinyBase.Form.allCases, [(4, 4), (5, 2), (2, 5)])
    func `the merged model has the logits of the adapter`(form: TinyBase.Form, ranks: (Int, Int)) throws {
        let base = try TinyBase(form)
        let model = try base.open()
        for (name, task) in [(LowRankOptions.Method.unolora, 0), (.loraPerTask, 1)] {
            let (method, weights) = base.method(name, rankA: ranks.0, rankB: ranks.1)
            let expected = TinyBase.logits(model, method, weights, task: task)
            let adapter = StaticAdapter(method, weights: weights.readOnly, task: task)
            let (path, cost) = try Self.merge(base.path, LowRankChange(adapter), base.directory)
            let found = TinyBase.logits(try base.open(path), nil, nil)
            #expect(largestDifference(found, expected) < 1e-5 * largestMagnitude(expected))
            #expect(cost.updated == method.siteCount && cost.types == ["F32"])
            #expect(cost.worst > 0 && cost.worst < 1e-6, "\(cost.text)")
        }
    }

    /// The bytes of one or two shards with an index, each tensor in the type that `type` gives.
    private static func write(
        _ source: SafetensorsFile, to directory: String, shards: Int, type: (String) -> ElementType
    ) throws {
        var map: [String: String] = [:]
        for shard in 0..<shards {
            let name = shards == 1 ? "model.safetensors" : "model-0000\(shard + 1)-of-0000\(shards).safetensors"
            let tensors = source.tensors.enumerated().filter { $0.offset % shards == shard }.map(\.element)
            var (data, parts): ([UInt8], [String]) = ([], ["\"__metadata__\":{\"format\":\"pt\"}"])
            for tensor in tensors {
                let start = data.count
                for value in try source.readFloats(named: tensor.name) {
                    let type = type(tensor.name)
                    StoredRounding.append(StoredRounding.nearest(Double(value), type), type, to: &data)
                }
                parts.append(
                    "\"\(tensor.name)\":{\"dtype\":\"\(type(tensor.name).rawValue)\",\"shape\":\(tensor.shape),"
                        + "\"data_offsets\":[\(start),\(data.count)]}")
                map[tensor.name] = name
            }
            let header = Array("{\(parts.joined(separator: ","))}".utf8)
            let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
            try Data(length + header + data).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
        }
        guard shards > 1 else { return }
        let index = ["metadata": AnyEncodable(["total_size": 1]), "weight_map": AnyEncodable(map)]
        try JSONEncoder().encode(index).write(
            to: URL(fileURLWithPath: "\(directory)/model.safetensors.index.json"))
    }

    private struct AnyEncodable: Encodable {
        private let body: (any Encoder) throws -> Void
        init(_ value: some Encodable) { body = value.encode }
        func encode(to encoder: any Encoder) throws { try body(encoder) }
    }

    @Test(arguments: [ElementType.float32, .float16, .bfloat16], [1, 2])
    func `types, shards and other tensors stay, and sums are rounded once`(type: ElementType, shards: Int) throws {
        let base = try TinyBase(.v11)
        let directory = try TemporaryDirectory()
        let source = try SafetensorsFile(path: base.path + "/model.safetensors")
        for name in ["config.json"] {
            try FileManager.default.copyItem(atPath: base.path + "/" + name, toPath: directory.file(name))
        }
        try directory.write("generation_config.json", "{\"max_length\": 7}")
        try directory.write("tokenizer_config.json", "{}")
        // Half precision beside single precision, as in the files of some models.
        try Self.write(source, to: directory.path, shards: shards) { $0.hasSuffix("wo.weight") ? .float32 : type }
        let (method, weights) = base.method(.unolora)
        let adapter = StaticAdapter(method, weights: weights.readOnly, task: 0)
        let (path, cost) = try Self.merge(directory.path, LowRankChange(adapter), base.directory)
        #expect(cost.updated == method.siteCount)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == names)
        for name in names where !name.hasSuffix(".safetensors") {
            #expect(FileManager.default.contentsEqual(atPath: path + "/" + name, andPath: directory.file(name)))
        }
        let (old, new) = (try TensorCollection(directory: directory.path), try TensorCollection(directory: path))
        for (before, after) in zip(old.files, new.files) {
            #expect(Array(before.header) == Array(after.header))
            for tensor in before.tensors {
                let site = adapter.sites.first { $0.module + ".weight" == tensor.name }
                guard let site else {
                    #expect(Array(before.bytes(of: tensor)) == Array(after.bytes(of: tensor)), "\(tensor.name)")
                    continue
                }
                let (w, found) = (
                    try before.readFloats(named: tensor.name), try after.readFloats(named: tensor.name)
                )
                for row in 0..<site.outputWidth {
                    for column in 0..<site.inputWidth {
                        var update = 0.0
                        for k in 0..<adapter.rank {
                            update +=
                                adapter.factor * Double(site.b[row * adapter.rank + k])
                                * Double(site.a[k * site.inputWidth + column])
                        }
                        let place = row * site.inputWidth + column
                        #expect(
                            Double(found[place])
                                == StoredRounding.nearest(Double(w[place]) + update, tensor.elementType))
                    }
                }
            }
        }
        #expect(try Backbones.check(directory: path) != Backbones.check(directory: directory.path))
    }

    @Test func `what rounding costs is measured by hand`() throws {
        let base = try TinyBase(.v10)
        let directory = try TemporaryDirectory()
        try FileManager.default.copyItem(atPath: base.path + "/config.json", toPath: directory.file("config.json"))
        let source = try SafetensorsFile(path: base.path + "/model.safetensors")
        try Self.write(source, to: directory.path, shards: 1) { _ in .bfloat16 }
        let (method, weights) = base.method(.unolora)
        let adapter = StaticAdapter(method, weights: weights.readOnly, task: 0)
        let (path, cost) = try Self.merge(directory.path, LowRankChange(adapter), base.directory)
        let (old, new) = (try TensorCollection(directory: directory.path), try TensorCollection(directory: path))
        var worst = (value: 0.0, name: "")
        for site in adapter.sites {
            let name = site.module + ".weight"
            let (before, after) = (try #require(old[name]), try #require(new[name]))
            let (w, merged) = (try before.file.readFloats(named: name), try after.file.readFloats(named: name))
            var (rounding, size) = (0.0, 0.0)
            for place in w.indices {
                let (row, column) = (place / site.inputWidth, place % site.inputWidth)
                let update = (0..<adapter.rank).reduce(0.0) {
                    $0 + adapter.factor * Double(site.b[row * adapter.rank + $1])
                        * Double(site.a[$1 * site.inputWidth + column])
                }
                rounding += pow(Double(merged[place]) - (Double(w[place]) + update), 2)
                size += update * update
            }
            let ratio = (rounding / size).squareRoot()
            if ratio > worst.value { worst = (ratio, name) }
        }
        #expect(cost.tensor == worst.name && abs(cost.worst / worst.value - 1) < 1e-9)
        #expect(cost.worst > 1e-4 && cost.text.contains("BF16"), "\(cost.text)")
    }

    @Test func `a weight beyond its type is refused by name`() throws {
        let base = try TinyBase(.v10)
        let directory = try TemporaryDirectory()
        try FileManager.default.copyItem(atPath: base.path + "/config.json", toPath: directory.file("config.json"))
        let source = try SafetensorsFile(path: base.path + "/model.safetensors")
        try Self.write(source, to: directory.path, shards: 1) { _ in .float16 }
        let (method, weights) = base.method(.unolora)
        for i in 0..<weights.count { weights.elements[i] *= 1000 }
        let adapter = StaticAdapter(method, weights: weights.readOnly, task: 0)
        let refusal = #expect(throws: Failure.self) {
            try Self.merge(directory.path, LowRankChange(adapter), base.directory)
        }
        #expect(refusal?.code == .notFinite && refusal?.message.contains("F16 cannot hold") == true)
    }

    @Test func `a base without a tensor of the adapter is refused by name, and nothing is written`() throws {
        let (base, other) = (try TinyBase(.v10), try TinyBase(.v11))
        let directory = try TemporaryDirectory()
        func refusal(_ change: any WeightChange, on path: String) throws -> Failure {
            let place = directory.file(UUID().uuidString)
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
            let refusal = try #require(throws: Failure.self) {
                _ = try MergedModel(base: path, change: change).write(into: place)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: place).isEmpty)
            return refusal
        }
        // v1.1 has two matrices, wi_0 and wi_1, in place of wi: one in each of four blocks.
        let (method, weights) = base.method(.unolora)
        let adapter = StaticAdapter(method, weights: weights.readOnly, task: 0)
        let low = try refusal(LowRankChange(adapter), on: other.path)
        #expect(low.code == .badData, "\(low.message)")
        let name = "decoder.block.0.layer.2.DenseReluDense.wi.weight"
        #expect(low.message.contains("has no tensor \(name) and 3 more"), "\(low.message)")
        let full = FullMethod(on: base.shape)
        let trained = Arena(count: full.parameters.count)
        let change = WholeChange(full.parameters, trained.readOnly, aliases: base.shape.aliases())
        #expect(try refusal(change, on: other.path).message.contains("wi.weight and 3 more"))
        // A tied embedding may be there under another of its names alone.
        let names = Set(full.parameters.entries.map(\.name))
        #expect(change.absent(among: names).isEmpty)
        let renamed = names.subtracting(["shared.weight"]).union(["encoder.embed_tokens.weight"])
        #expect(change.absent(among: renamed).isEmpty)
        #expect(change.absent(among: names.subtracting(["shared.weight"])) == ["shared.weight"])
    }

    @Test(arguments: TinyBase.Form.allCases)
    func `the weights of full fine-tuning take their places, under each of their names`(form: TinyBase.Form) throws {
        let base = try TinyBase(form)
        let model = try base.open()
        let method = FullMethod(on: base.shape)
        let weights = Arena(count: method.parameters.count)
        method.start(weights, seed: 1, on: model)
        for i in 0..<weights.count { weights.elements[i] *= 1 + Float(i % 11) / 50 }
        // A file that repeats the embedding, as older versions of transformers write it.
        let directory = try TemporaryDirectory()
        try FileManager.default.copyItem(atPath: base.path + "/config.json", toPath: directory.file("config.json"))
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        let source = try SafetensorsFile(path: base.path + "/model.safetensors")
        for tensor in source.tensors {
            try writer.add(tensor.name, tensor.shape, source.readFloats(named: tensor.name))
        }
        let embedding = try source.readFloats(named: "shared.weight")
        let shape = try source.tensor(named: "shared.weight").shape
        for name in ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"] {
            try writer.add(name, shape, embedding)
        }
        try writer.write(to: directory.file("model.safetensors"))
        let change = WholeChange(method.parameters, weights.readOnly, aliases: base.shape.aliases())
        let (path, cost) = try Self.merge(directory.path, change, base.directory)
        #expect(cost.worst == 0)
        _ = try Backbones.check(directory: path)
        let merged = try SafetensorsFile(path: path + "/model.safetensors")
        for entry in method.parameters.entries {
            #expect(try merged.readFloats(named: entry.name) == Array(weights.elements[entry.range]), "\(entry.name)")
        }
        #expect(
            try merged.readFloats(named: "encoder.embed_tokens.weight") == merged.readFloats(named: "shared.weight"))
    }
}
