import Adapters
import Backbone
import Backbones
import Configuration
import Foundation
import Kernels
import T5
import Tensors
import TestSupport
import Testing

@testable import Exports
@testable import Training

/// What this program exports, as transformers and PEFT compute with it: each directory of `Goldens` has a tiny base, what was
/// exported on it, and the logits of these libraries, which `Goldens/make_logits.py` wrote.
///
/// With `UNOLORA_WRITE_EXPORTS=1` the directories are written anew, without the logits.
@Suite struct LibraryLogitsTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var form: TinyBase.Form
        var rankA: Int
        var rankB: Int
        var testDescription: String { name }
        var directory: String { goldens + "/" + name }
    }

    private static let goldens = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Goldens").path

    private static let cases = [
        Case(name: "v1.0", form: .v10, rankA: 4, rankB: 4), Case(name: "v1.1", form: .v11, rankA: 4, rankB: 4),
        // With a core that becomes part of A, and one that becomes part of B.
        Case(name: "core-v1.0", form: .v10, rankA: 2, rankB: 5),
        Case(name: "core-v1.1", form: .v11, rankA: 5, rankB: 2),
    ]

    init() { BLAS.useOneThread() }

    /// The method of a case on its base, with weights that are the same on every machine.
    private static func method(_ example: Case) throws -> (method: LowRankMethod, weights: Arena) {
        let options = LowRankOptions(
            method: .unolora, rankA: example.rankA, rankB: example.rankB, alpha: 6, tasks: 1,
            targets: TinyBase.allTargets(example.form), dropout: 0)
        let method = LowRankMethod(options, on: try Backbones.shape(directory: example.directory + "/model"))
        let weights = Arena(count: method.parameters.count)
        for i in 0..<weights.count { weights.elements[i] = Float(i * 7919 % 255 - 127) / 256 }
        return (method, weights)
    }

    /// Exports into `peft` and `merged` of a directory.
    private static func export(_ example: Case, to directory: String) throws {
        let (method, weights) = try method(example)
        let adapter = StaticAdapter(method, weights: weights.readOnly, task: 0)
        for part in ["peft", "merged"] {
            try FileManager.default.createDirectory(
                atPath: directory + "/" + part, withIntermediateDirectories: true)
        }
        try PEFTDirectory.write(adapter, base: "../model", into: directory + "/peft")
        _ = try MergedModel(base: example.directory + "/model", change: LowRankChange(adapter))
            .write(into: directory + "/merged")
    }

    @Test(arguments: cases) func `the export has the bytes that the libraries have read`(example: Case) throws {
        if ProcessInfo.processInfo.environment["UNOLORA_WRITE_EXPORTS"] == "1" {
            try? FileManager.default.removeItem(atPath: example.directory)
            try FileManager.default.createDirectory(atPath: example.directory, withIntermediateDirectories: true)
            let base = try TinyBase(example.form)
            try FileManager.default.copyItem(atPath: base.path, toPath: example.directory + "/model")
            try Self.export(example, to: example.directory)
        }
        let directory = try TemporaryDirectory()
        try Self.export(example, to: directory.path)
        for part in ["peft", "merged"] {
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.file(part)).sorted()
            #expect(names.contains { $0.hasSuffix(".safetensors") })
            let read = try FileManager.default.contentsOfDirectory(atPath: "\(example.directory)/\(part)").sorted()
            #expect(names == read)
            for name in names.map({ "\(part)/\($0)" }) {
                #expect(
                    FileManager.default.contentsEqual(
                        atPath: directory.file(name), andPath: "\(example.directory)/\(name)"), "\(name)")
            }
        }
    }

    @Test(arguments: cases) func `adapter and merged model have the logits of the libraries`(example: Case) throws {
        let numbers = try SafetensorsFile(path: example.directory + "/case.safetensors")
        let (method, weights) = try Self.method(example)
        // A run that begins with the exported adapter.
        let rank = max(example.rankA, example.rankB)
        let options = LowRankOptions(
            method: .unolora, rankA: rank, alpha: 6, tasks: 1, targets: TinyBase.allTargets(example.form), dropout: 0)
        for products in ProductBackend.available {
            func open(_ name: String) throws -> any Backbone {
                try Backbones.open(
                    directory: "\(example.directory)/\(name)", maximumLength: 32,
                    packing: products.packing(products.packs(.fast)))
            }
            let base = try open("model")
            let begun = LowRankMethod(options, on: base.shape)
            let read = Arena(count: begun.parameters.count)
            begun.initialise(read, seed: 2)
            var adapter = AdapterConfiguration(method: "unolora", rank: rank, alpha: 6, tasks: 1)
            adapter.taskNames = ["one"]
            let warm = try WarmStart(
                origin: Origin(directory: example.directory + "/peft"), method: begun, shape: base.shape,
                adapter: adapter, newTask: .mean)
            #expect(try warm.apply(to: read, backbone: "any").isEmpty)
            for (name, found) in [
                ("peft", TinyBase.logits(base, method, weights)), ("peft", TinyBase.logits(base, begun, read)),
                ("merged", TinyBase.logits(try open("merged"), nil, nil)),
            ] {
                let expected = try numbers.readFloats(named: name)
                #expect(found.count == expected.count)
                let (difference, scale) = (largestDifference(found, expected), largestMagnitude(expected))
                // Tiles compute in bf16x3, with thirty times the error of a product in float32.
                #expect(
                    difference < (products == .tiles ? 2e-4 : 1e-5) * scale,
                    "\(difference) of \(scale), \(name) with \(products)")
                // The adapter is not lost in the tolerance.
                #expect(largestDifference(TinyBase.logits(base, nil, nil), expected) > 0.01 * scale)
            }
        }
    }
}
