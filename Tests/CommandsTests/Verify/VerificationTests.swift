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

    /// Tiles compute in bf16x3 what the others compute in float32. Products have thirty times the error there, and the gradients
    /// of these small models multiply it up to a hundred times, so a few are beyond the tolerance of `verify`.
    private static let toleranceOfTiles = 1e-3

    private func expectPass(_ path: String) throws {
        for backend in ProductBackend.available {
            let isTiles = backend == .tiles
            let report = try Verification.replay(
                path: path, backend: backend, products: isTiles ? .bf16x3 : .float32)
            let tolerance = isTiles ? Self.toleranceOfTiles : Verification.tolerance
            #expect(
                report.errors.values.allSatisfy { $0 <= tolerance } && report.generatedEqual, "\(backend) \(report)")
            #expect(isTiles || (report.passed && report.failed.isEmpty), "\(backend) \(report)")
            #expect(report.errors["loss"] != nil && report.errors["logits"] != nil)
            #expect(report.errors["encoder_output"] != nil)
        }
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
