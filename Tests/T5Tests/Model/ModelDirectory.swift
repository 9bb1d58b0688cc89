import Foundation
import TestSupport

@testable import T5

/// A Hugging Face model directory on disk; a test can change its tensors and settings before it is written.
struct ModelDirectory {
    /// One tensor: its dtype's name, its shape and its bytes.
    struct Tensor {
        var type: String
        var shape: [Int]
        var bytes: Data
    }

    var settings: [String: Any]
    var tensors: [String: Tensor]
    private let directory: TemporaryDirectory

    var path: String { directory.path }

    /// A random tiny model, made by `writeNewModel`.
    init(_ family: TinyT5.Family = .v10) throws {
        let source = try TemporaryDirectory()
        try TinyT5.configuration(family).writeNewModel(directory: source.path, seed: 5)
        let json = try Data(contentsOf: URL(fileURLWithPath: source.file("config.json")))
        settings = try JSONSerialization.jsonObject(with: json) as? [String: Any] ?? [:]
        tensors = try Self.read(source.file("model.safetensors"))
        directory = try TemporaryDirectory()
    }

    /// Reads a safetensors file without the code under test.
    private static func read(_ path: String) throws -> [String: Tensor] {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let length = data.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: Any] ?? [:]
        var tensors: [String: Tensor] = [:]
        for (name, value) in header where name != "__metadata__" {
            guard let entry = value as? [String: Any], let offsets = entry["data_offsets"] as? [Int] else { continue }
            tensors[name] = Tensor(
                type: entry["dtype"] as? String ?? "", shape: entry["shape"] as? [Int] ?? [],
                bytes: Data(data[8 + length + offsets[0]..<8 + length + offsets[1]]))
        }
        return tensors
    }

    /// The floats of an F32 tensor.
    func floats(_ name: String) -> [Float] {
        guard let bytes = tensors[name]?.bytes else { return [] }
        return bytes.withUnsafeBytes { memory in
            (0..<bytes.count / 4).map { memory.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }

    /// Replaces a tensor by its floats in another type, rounded towards zero, and returns what they now are.
    @discardableResult
    mutating func convert(_ name: String, to type: String) -> [Float] {
        let values = floats(name)
        let halves = values.map { type == "F16" ? Float16($0).bitPattern : UInt16($0.bitPattern >> 16) }
        tensors[name]?.type = type
        tensors[name]?.bytes = halves.withUnsafeBytes { Data($0) }
        return halves.map { type == "F16" ? Float(Float16(bitPattern: $0)) : Float(bitPattern: UInt32($0) << 16) }
    }

    /// Writes `config.json` and the tensors as one file.
    func write() throws {
        try writeSettings()
        try Self.write(tensors, to: directory.file("model.safetensors"))
    }

    /// Writes `config.json` and the tensors as `shards` files with an index.
    func writeSharded(_ shards: Int) throws {
        try writeSettings()
        var parts = [[String: Tensor]](repeating: [:], count: shards)
        var map: [String: String] = [:]
        func file(_ part: Int) -> String { "model-0000\(part + 1)-of-0000\(shards).safetensors" }
        for (index, name) in tensors.keys.sorted().enumerated() {
            parts[index % shards][name] = tensors[name]
            map[name] = file(index % shards)
        }
        for (part, tensors) in parts.enumerated() {
            try Self.write(tensors, to: directory.file(file(part)))
        }
        let index = try JSONSerialization.data(withJSONObject: ["metadata": [:], "weight_map": map])
        try index.write(to: URL(fileURLWithPath: directory.file("model.safetensors.index.json")))
    }

    private func writeSettings() throws {
        let json = try JSONSerialization.data(withJSONObject: settings)
        try json.write(to: URL(fileURLWithPath: directory.file("config.json")))
    }

    private static func write(_ tensors: [String: Tensor], to path: String) throws {
        var header: [String: Any] = [:]
        var body = Data()
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            header[name] = [
                "dtype": tensor.type, "shape": tensor.shape,
                "data_offsets": [body.count, body.count + tensor.bytes.count],
            ]
            body += tensor.bytes
        }
        let json = try JSONSerialization.data(withJSONObject: header)
        var file = Data((0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) })
        file += json
        file += body
        try file.write(to: URL(fileURLWithPath: path))
    }
}
