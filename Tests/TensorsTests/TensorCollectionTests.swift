import Failures
import Foundation
import Tensors
import TestSupport
import Testing

@Suite struct TensorCollectionTests {
    private func shard(_ path: String, _ tensors: [String: [Float]]) throws {
        var writer = SafetensorsWriter()
        for (name, values) in tensors.sorted(by: { $0.key < $1.key }) { try writer.add(name, [values.count], values) }
        try writer.write(to: path)
    }

    private func sharded(_ map: String) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        try shard(directory.file("model-1.safetensors"), ["a": [1, 2], "b": [3]])
        try shard(directory.file("model-2.safetensors"), ["c": [4]])
        try directory.write(
            "model.safetensors.index.json",
            #"{"metadata": {"total_size": 16.0, "x": [null, true]}, "weight_map": \#(map)}"#)
        return directory
    }

    private let map = #"{"a": "model-1.safetensors", "b": "model-1.safetensors", "c": "model-2.safetensors"}"#

    private func expectRefusal(
        _ directory: TemporaryDirectory, _ code: ExitCode, _ words: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let refusal = failure({ _ = try TensorCollection(directory: directory.path) }, sourceLocation: sourceLocation)
        #expect(refusal?.code == code, sourceLocation: sourceLocation)
        for word in words {
            #expect(
                refusal?.message.contains(word) == true, "'\(word)' is not in: \(refusal?.message ?? "")",
                sourceLocation: sourceLocation)
        }
    }

    @Test func `a single file is opened`() throws {
        let directory = try TemporaryDirectory()
        try shard(directory.file("model.safetensors"), ["b": [3], "a": [1, 2]])
        let collection = try TensorCollection(directory: directory.path)
        #expect(collection.names == ["a", "b"])
        let (file, tensor) = try #require(collection["b"])
        #expect(try file.readFloats(named: tensor.name) == [3])
        #expect(collection["c"] == nil)
    }

    @Test func `shards are opened as their index says`() throws {
        let directory = try sharded(map)
        let collection = try TensorCollection(directory: directory.path)
        #expect(collection.names == ["a", "b", "c"])
        #expect(collection.files.count == 2)
        let (file, tensor) = try #require(collection["c"])
        #expect(file.path.hasSuffix("model-2.safetensors"))
        #expect(try file.readFloats(named: tensor.name) == [4])
    }

    @Test func `a missing shard is refused by name`() throws {
        let directory = try sharded(map)
        try FileManager.default.removeItem(atPath: directory.file("model-2.safetensors"))
        expectRefusal(
            directory, .inputMissing, directory.file("model-2.safetensors"), "is missing", "download all shards")
    }

    @Test func `a damaged shard is refused by name`() throws {
        let directory = try sharded(map)
        let path = directory.file("model-2.safetensors")
        try #require(truncate(path, 90) == 0 || truncate(path, 60) == 0)
        expectRefusal(directory, .badData, path)
    }

    @Test func `a tensor that its shard lacks is refused by name`() throws {
        expectRefusal(
            try sharded(map.replacingOccurrences(of: "}", with: #", "d": "model-2.safetensors"}"#)), .badData,
            "'d' stands in model-2.safetensors but it does not")
    }

    @Test func `a tensor in another shard than stated is refused by name`() throws {
        expectRefusal(
            try sharded(map.replacingOccurrences(of: #""b": "model-1"#, with: #""b": "model-2"#)), .badData, "'b'",
            "stands in model-1.safetensors")
    }

    @Test func `a tensor that the index leaves out is refused by name`() throws {
        expectRefusal(
            try sharded(map.replacingOccurrences(of: #""b": "model-1.safetensors", "#, with: "")), .badData,
            "holds tensor 'b'", "does not list")
    }

    @Test func `a tensor in two shards is refused by name`() throws {
        let directory = try sharded(map)
        try shard(directory.file("model-2.safetensors"), ["c": [4], "a": [9, 9]])
        expectRefusal(directory, .badData, "'a' stands in both", "model-1.safetensors", "model-2.safetensors")
    }

    @Test(arguments: ["../secret.safetensors", "/etc/passwd", "..", ".", "", "a/b.safetensors"])
    func `a shard outside the directory is refused`(_ shard: String) throws {
        expectRefusal(
            try sharded(map.replacingOccurrences(of: "model-2.safetensors", with: shard)), .badData,
            "not a plain file name", "tensor 'c'")
    }

    @Test(arguments: [
        ("[]", "'{' expected"), (#"{"a": 1}"#, "'\"' expected"), ("{}", "empty"), ("{} 1", "'}' expected"),
        (#"{"a": "x", "a": "y"}"#, "two entries named 'a'"), ("{}, \"weight_map\": {}", "occurs twice"),
        ("nonsense", "'{' expected"),
    ])
    func `a malformed index is refused`(_ map: String, _ words: String) throws {
        expectRefusal(try sharded(map), .badData, "model.safetensors.index.json", words)
    }

    @Test func `an index without a map is refused`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("model.safetensors.index.json", #"{"metadata": {}}"#)
        expectRefusal(directory, .badData, "'weight_map' is missing")
    }

    @Test func `an index of endless nesting is refused`() throws {
        let directory = try TemporaryDirectory()
        let deep = String(repeating: "[", count: 200_000)
        try directory.write("model.safetensors.index.json", #"{"metadata": \#(deep)"#)
        expectRefusal(directory, .badData, "nested deeper")
    }

    @Test func `pickled weights alone are refused with the way to convert them`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("pytorch_model.bin", "")
        expectRefusal(directory, .inputMissing, "pytorch_model.bin", "convert it", "safe_serialization=True")
    }

    @Test func `a pickle under the right name is refused as one`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("model.safetensors", "PK\u{3}\u{4}" + String(repeating: "x", count: 100))
        expectRefusal(directory, .badData, "pickled PyTorch file", "convert it")
    }

    @Test func `a directory without weights, and none, are refused`() throws {
        let directory = try TemporaryDirectory()
        expectRefusal(directory, .inputMissing, "neither model.safetensors nor")
        let absent = failure { _ = try TensorCollection(directory: directory.file("absent")) }
        #expect(absent?.code == .inputMissing)
        #expect(absent?.message.contains("No such file") == true)
        let file = failure { _ = try TensorCollection(directory: try directory.write("file", "")) }
        #expect(file?.message.contains("is not a directory") == true)
    }
}
