import Commands
import Failures
import Foundation
import Kernels
import Tensors
import TestSupport
import Testing
import Training

/// A case in which one number, one tensor or one setting differs from the correct one.
@Suite struct ChangedCaseTests {
    private static let original = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Cases/unolora_star-v1.1").path

    init() { BLAS.useOneThread() }

    /// A copy of the case; `change` gets each tensor's values before they are written and leaves the tensor out if it returns
    /// nil.
    private func copy(_ change: (String, [Float]) -> [Float]?) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for part in ["model", "adapter"] {
            try FileManager.default.copyItem(atPath: "\(Self.original)/\(part)", toPath: directory.file(part))
        }
        let file = try SafetensorsFile(path: Self.original + "/case.safetensors")
        var writer = SafetensorsWriter()
        for tensor in file.tensors {
            let isFloat = tensor.elementType == .float32
            let values =
                isFloat
                ? try file.readFloats(named: tensor.name) : try file.readInt32(named: tensor.name).map(Float.init)
            guard let changed = change(tensor.name, values) else { continue }
            if isFloat {
                try writer.add(tensor.name, tensor.shape, changed)
            } else {
                try writer.add(tensor.name, tensor.shape, changed.map { Int32($0) })
            }
        }
        try writer.write(to: directory.file("case.safetensors"))
        return directory
    }

    /// Replays the case with one number of one tensor replaced.
    private func replay(_ name: String, _ index: Int, _ change: (Float, Float) -> Float) throws -> VerificationReport {
        var found = false
        let directory = try copy { tensor, values in
            guard tensor == name else { return values }
            found = true
            var values = values
            let largest = Float(largestMagnitude(values))
            values[index] = change(values[index], largest)
            return values
        }
        #expect(found)
        return try Verification.replay(path: directory.path, backend: .openblas)
    }

    @Test func `an unchanged copy passes`() throws {
        let directory = try copy { $1 }
        #expect(try Verification.replay(path: directory.path, backend: .openblas).passed)
    }

    /// Index 6 of the logits belongs to a label; the others, and the last one of the encoder output, are in the padding.
    @Test(arguments: [
        ("logits", 6), ("logits", 5 * 4 * 96 - 1), ("logits", 300), ("encoder_output", 0),
        ("encoder_output", 5 * 23 * 32 - 1), ("loss", 0), ("grad.hypernet.mlp.3.bias", 2),
        ("grad.encoder.block.0.layer.0.SelfAttention.q.lora_A.weight", 5), ("grad.hypernet.scale.weight", 11),
        ("step.hypernet.task_embedding.weight", 23),
        ("step.decoder.block.1.layer.1.EncDecAttention.v.lora_B.weight", 9),
    ])
    func `one changed number fails and is named`(place: (name: String, index: Int)) throws {
        // Three times the tolerance away from the correct value.
        let moved = try replay(place.name, place.index) { $0 + 6e-4 * $1 }
        #expect(!moved.passed && moved.failed.contains(place.name), "\(moved.failed)")
        let broken = try replay(place.name, place.index) { _, _ in .nan }
        #expect(!broken.passed && broken.failed.contains(place.name))
        for (prefix, worst) in [("grad.", broken.worstGradient), ("step.", broken.worstStep)]
        where place.name.hasPrefix(prefix) {
            #expect(worst?.hasPrefix(place.name) == true, "\(worst ?? "none")")
        }
        // A third of the tolerance is accepted.
        let near = try replay(place.name, place.index) { $0 + 0.6e-4 * $1 }
        #expect(!near.failed.contains(place.name), "\(near.errors[place.name] ?? -1)")
    }

    @Test func `a changed generated token fails`() throws {
        for index in [0, 5, 29] {
            let report = try replay("generated", index) { token, _ in token == 7 ? 8 : 7 }
            #expect(!report.passed && !report.generatedEqual && report.failed.isEmpty)
        }
    }

    @Test(arguments: ["input_ids", "labels", "task_ids", "input_lengths"])
    func `a changed input fails`(name: String) throws {
        let report = try replay(name, 0) { value, _ in value == 2 ? 1 : 2 }
        #expect(!report.passed)
    }

    /// A case as `launch/verification/exported.py` writes it.
    @Test func `a case of the forward alone needs no gradients, and its other numbers still count`() throws {
        func replay(_ isForwardOnly: Bool, _ change: (String, [Float]) -> [Float] = { $1 }) throws -> VerificationReport
        {
            let directory = try copy { name, values in
                ["grad.", "step."].contains { name.hasPrefix($0) } ? nil : change(name, values)
            }
            let path = directory.file("adapter/unolora_config.json")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let open = try #require(text.firstIndex(of: "{"))
            try (text[...open] + "\"forwardOnly\": \(isForwardOnly), " + text[open...].dropFirst())
                .write(toFile: path, atomically: true, encoding: .utf8)
            return try Verification.replay(path: directory.path, backend: .openblas)
        }
        let report = try replay(true)
        #expect(report.passed && report.worstGradient == nil && report.worstStep == nil)
        #expect(Set(report.errors.keys) == ["logits", "encoder_output", "loss"])
        let refusal = try #require(throws: Failure.self) { _ = try replay(false) }
        #expect(refusal.code == .badData && refusal.message.contains("grad."), "\(refusal.message)")
        for name in ["logits", "encoder_output", "loss"] {
            let broken = try replay(true) { $0 == name ? $1.map { $0 * 1.01 } : $1 }
            #expect(!broken.passed && broken.failed == [name], "\(broken.failed)")
        }
        #expect(try !replay(true) { $0 == "generated" ? $1.map { $0 == 7 ? 8 : 7 } : $1 }.passed)
    }

    /// Copies the case, changes it by `change` and `damage`, and returns the refusal.
    private func refusal(
        _ change: (String, [Float]) -> [Float]? = { _, values in values },
        damage: (TemporaryDirectory) throws -> Void = { _ in }
    ) throws -> Failure {
        let directory = try copy(change)
        try damage(directory)
        return try #require(throws: Failure.self) {
            _ = try Verification.replay(path: directory.path, backend: .openblas)
        }
    }

    @Test(arguments: [
        "logits", "loss", "generated", "input_ids", "grad.hypernet.scale.bias", "step.hypernet.scale.bias",
    ])
    func `a missing tensor is refused by name`(name: String) throws {
        let failure = try refusal({ tensor, values in tensor == name ? nil : values })
        #expect(failure.code == .badData && failure.message.contains(name))
    }

    @Test func `tokens, lengths and tasks that cannot be are refused`() throws {
        for (name, value) in [
            ("input_ids", 96), ("input_ids", -5), ("labels", 96), ("input_lengths", 0), ("input_lengths", 24),
            ("task_ids", 3), ("task_ids", -1),
        ] as [(String, Float)] {
            let failure = try refusal({ tensor, values in
                tensor == name ? [value] + values.dropFirst() : values
            })
            #expect(failure.code == .badData, "\(name) \(value)")
        }
    }

    @Test(arguments: [
        #""dropout": 1.5"#, #""dropout": -0.1"#, #""loraDropout": 1"#, #""padTargets": -1"#,
        #""labelSmoothing": "much""#,
    ])
    func `a setting that cannot be is refused`(setting: String) throws {
        let failure = try refusal(damage: { directory in
            let json = #"{"method": "unolora_star", "rank": 4, "alpha": 8, "tasks": 3, \#(setting)}"#
            try directory.write("adapter/unolora_config.json", json)
        })
        #expect(failure.code == .badData)
    }

    @Test func `a case without one of its parts is refused`() throws {
        for part in [
            "case.safetensors", "model/config.json", "adapter/unolora_config.json", "adapter/unolora_model.safetensors",
        ] {
            let failure = try refusal(damage: { try FileManager.default.removeItem(atPath: $0.file(part)) })
            #expect(failure.code == .inputMissing && failure.message.contains(part))
        }
    }

    /// The other combinations would need terabytes.
    @Test(arguments: [
        #""method": "unolora_star", "rank": 3, "tasks": 3"#,
        #""method": "lora_per_task", "rank": 4096, "tasks": 100000"#,
        #""method": "unolora_star", "rank": 4, "tasks": 3, "hyperDim": 65536"#,
    ])
    func `an adapter of another shape is refused, however large`(options: String) throws {
        let failure = try refusal(damage: { directory in
            let json = #"{"alpha": 8, \#(options)}"#
            try directory.write("adapter/unolora_config.json", json)
        })
        #expect(failure.code == .badData && failure.message.contains("shape"))
    }

    @Test(arguments: [("\"tasks\"", "-1"), ("\"rank\"", "0"), ("\"method\"", "\"prefix\"")])
    func `an adapter's configuration that makes no sense is refused`(key: String, value: String) throws {
        let failure = try refusal(damage: { directory in
            let path = directory.file("adapter/unolora_config.json")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            let changed = text.replacing(
                try Regex("\(key)\\s*:\\s*(\"[^\"]*\"|[0-9]+)"), with: { _ in "\(key): \(value)" })
            #expect(changed != text)
            try changed.write(toFile: path, atomically: true, encoding: .utf8)
        })
        #expect(failure.code == .badData && failure.message.contains("unolora_config.json"), "\(failure.message)")
    }
}
