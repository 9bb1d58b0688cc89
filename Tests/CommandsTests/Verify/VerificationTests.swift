import Commands
import Configuration
import Foundation
import Kernels
import TestSupport
import Testing
import Training

@Suite struct VerificationTests {
    private static let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    private static let goldens = here.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("T5Tests/Goldens/cases")

    /// The directories in `parent`, sorted.
    private static func cases(_ parent: URL) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
        return names.sorted().map { parent.appendingPathComponent($0).path }
    }

    private static let official = cases(here.appendingPathComponent("Cases"))
    private static let options = cases(goldens)
    private static let reference = ReferenceMaterial.directory
    private static let more =
        reference.map { root in
            cases(URL(fileURLWithPath: root).appendingPathComponent("parity")).filter { path in
                ["frozen-", "unolora-", "unolora_star-", "lora_per_task-", "hyperformer_pp-", "full-"].contains {
                    path.contains("/\($0)")
                }
            }
        } ?? []

    init() { BLAS.useOneThread() }

    /// Tiles compute in bf16x3 what the others compute in float32, with sixteen bits instead of 24. The gradients of these small models
    /// multiply the errors of products, some of them by a hundred. So a result of tiles may have up to 2^8 times the error that the
    /// same result has in float32, where that is more than the tolerance of `verify`.
    private static let lossOfBits = 256.0

    private func expectPass(_ path: String) throws {
        var inFloat32: [String: Double] = [:]
        for backend in ProductBackend.available where backend != .tiles {
            let report = try Verification.replay(path: path, backend: backend, products: .float32)
            #expect(report.passed && report.failed.isEmpty && report.generatedEqual, "\(backend) \(report)")
            expectContent(report)
            inFloat32.merge(report.errors) { larger($0, $1) }
        }
        let report = try Verification.replay(path: path, backend: .tiles, products: .bf16x3)
        for (name, error) in report.errors {
            let limit = max(Verification.tolerance, Self.lossOfBits * (inFloat32[name] ?? 0))
            #expect(error <= limit, "tiles: \(name)")
        }
        #expect(report.generatedEqual && Set(report.errors.keys) == Set(inFloat32.keys), "tiles")
        expectContent(report)
    }

    private func expectContent(_ report: VerificationReport) {
        for name in ["loss", "logits", "encoder_output"] { #expect(report.errors[name] != nil) }
    }

    @Test func `the cases are there`() {
        #expect(Self.official.count == 4)
        #expect(Self.options.count >= 21)
    }

    @Test(arguments: official)
    func `a case of the method's PyTorch reference passes`(path: String) throws {
        try expectPass(path)
    }

    @Test(arguments: options)
    func `a case of an option passes`(path: String) throws {
        try expectPass(path)
    }

    @Test(
        .enabled(if: reference != nil, "UNOLORA_REFERENCE names no directory with all cases of the reference"),
        arguments: more)
    func `every case of the reference passes`(path: String) throws {
        try expectPass(path)
    }

    @Test func `the report is one line of JSON`() throws {
        let report = try Verification.replay(path: Self.official[0], backend: .openblas)
        let line = try report.jsonLine()
        #expect(!line.contains("\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(object["passed"] as? Bool == true && object["case"] as? String == Self.official[0])
        #expect(report.worstGradient?.hasPrefix("grad.") == true && report.worstStep?.hasPrefix("step.") == true)
    }
}
