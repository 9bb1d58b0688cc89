import Foundation
import Kernels
import Testing
import Training

@Suite struct VerificationTests {
    static let cases = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases").path

    @Test(arguments: ["unolora_star-v1.1", "lora_per_task-v1.0"])
    func `a case that PyTorch wrote passes`(name: String) throws {
        BLAS.useOneThread()
        let report = try Verification.replay(path: "\(Self.cases)/\(name)")
        #expect(report.passed, "\(report)")
    }
}
