import Adapters
import Backbone
import Configuration
import Failures
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Exports
@testable import Training

@Suite struct NativeExportTests {
    private static let digest = ContentDigest(of: "a base").hexadecimal

    private static func configuration(_ method: String) -> AdapterConfiguration {
        var configuration = AdapterConfiguration(method: method, rank: 4, alpha: 8, tasks: 2)
        configuration.taskNames = ["one", "two"]
        if method == "hyperformer_pp" { configuration.reduction = 4 }
        if method == "lora_per_task" { (configuration.rankA, configuration.rankB) = (4, 2) }
        return configuration
    }

    private static func write(_ method: String, _ base: TinyBase, to directory: String) throws -> (MadeMethod, Arena) {
        let own = configuration(method)
        let made = try MethodTable.standard.method(own, on: base.shape, from: .file(path: "here"))
        let weights = Arena(count: made.method.parameters.count)
        for i in 0..<weights.count { weights.elements[i] = Float(i % 17) / 3 - 2 }
        var full = made.configuration
        full.taskNames = own.taskNames
        try NativeExport.write(
            full, made.method.parameters, weights.readOnly, tasks: [], backbone: digest, program: "1.0", step: 7,
            into: directory)
        return (made, weights)
    }

    @Test(arguments: ["unolora", "unolora_star", "lora_per_task", "hyperformer_pp", "full"], [false, true])
    func `a run that begins with it has the same bits`(method: String, namesFile: Bool) throws {
        let base = try TinyBase(.v10)
        let directory = try TemporaryDirectory()
        let (made, weights) = try Self.write(method, base, to: directory.path)
        let read = Arena(count: weights.count)
        made.method.start(read, seed: 2, on: try base.open())
        var adapter = made.configuration
        adapter.taskNames = ["one", "two"]
        let place = namesFile ? directory.file(NativeAdapter.fileName) : directory.path
        func apply(_ backbone: String) throws {
            let warm = try WarmStart(
                origin: Origin(directory: place), method: made.method, shape: base.shape, adapter: adapter,
                newTask: .mean)
            #expect(try warm.apply(to: read, backbone: backbone).isEmpty)
        }
        let refusal = #expect(throws: Failure.self) { try apply(ContentDigest(of: "another").hexadecimal) }
        #expect(refusal?.message.contains("was trained on another model") == true)
        try apply(Self.digest)
        #expect(Array(read.elements).map(\.bitPattern) == Array(weights.elements).map(\.bitPattern))
    }

    @Test func `another file is refused with what to give`() throws {
        let directory = try TemporaryDirectory()
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        try writer.add("x", [1], [Float(1)])
        try writer.write(to: directory.file("other.safetensors"))
        let refusal = #expect(throws: Failure.self) { try Origin(directory: directory.file("other.safetensors")) }
        #expect(refusal?.code == .badData && refusal?.message.contains("export --format native") == true)
        for (metadata, sentence) in [
            (["unolora_adapter": "2"], "form 2"), (["unolora_adapter": "1"], "lacks the configuration"),
            (
                ["unolora_adapter": "1", "configuration": "{", "backbone": Self.digest],
                "not an adapter's configuration"
            ),
            (["unolora_adapter": "1", "configuration": "{}", "backbone": "no"], "lacks the configuration"),
        ] {
            try SafetensorsWriter(metadata: metadata).write(to: directory.file("bad.safetensors"))
            let refusal = #expect(throws: Failure.self) { try Origin(directory: directory.file("bad.safetensors")) }
            #expect(
                refusal?.code == .badData && refusal?.message.contains(sentence) == true, "\(refusal?.message ?? "")")
        }
    }
}
