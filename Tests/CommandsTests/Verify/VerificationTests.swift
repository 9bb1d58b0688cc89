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

    /// The cases in which results of tiles in bf16x3 are beyond the tolerance of `verify`: how many, and the largest error that they may
    /// have. Sixteen bits in the place of 24 multiply the errors of products by up to 2^8, and some gradients of these small models
    /// multiply these again, by a hundred and more. In float32 all results are within the tolerance.
    private static let beyondTolerance: [String: (results: Int, limit: Double)] = [
        "hyperformer_pp-v1.1": (1, 5e-4), "lora_per_task-v1.0": (1, 2.2e-4),
        // Cases of options, many of them with dropout in the adapter.
        "dropout-targets-per_input": (1, 7e-4), "dropout-targets-per_site": (9, 1.5e-3),
        "ranks-lora_per_task": (1, 2.2e-4), "ranks-unolora_star": (4, 2.5e-4), "targets-all-v1.1": (1, 3e-4),
        "zero_mean": (1, 4.5e-4),
    ]

    private func expectPass(_ path: String) throws {
        var names: Set<String> = []
        for backend in ProductBackend.available where backend != .tiles {
            let report = try Verification.replay(path: path, backend: backend, products: .float32)
            #expect(report.passed && report.failed.isEmpty && report.generatedEqual, "\(backend) \(report)")
            expectContent(report)
            names.formUnion(report.errors.keys)
            #expect(report.products == "float32 by \(backend.version)")
        }
        let report = try Verification.replay(path: path, backend: .tiles, products: .bf16x3)
        let known = Self.beyondTolerance[URL(fileURLWithPath: path).lastPathComponent]
        #expect(report.failed.count <= known?.results ?? 0, "tiles: \(report.failed)")
        for (name, error) in report.errors {
            #expect(error <= known?.limit ?? Verification.tolerance, "tiles: \(path) \(name)")
        }
        #expect(report.generatedEqual && Set(report.errors.keys) == names, "tiles")
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
