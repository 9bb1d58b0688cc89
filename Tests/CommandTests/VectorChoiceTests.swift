import Foundation
import Kernels
import TestSupport
import Testing

extension ProgramTests {
    /// The environment variable that chooses a version of the loops in C.
    @Suite struct VectorChoiceTests {
        @Test(arguments: [nil, 2])
        func `a version that is not there is refused`(ranks: Int?) throws {
            let project = try TinyProject()
            let result = try Program.run(project.train(), ranks: ranks, environment: ["UNOLORA_VECTORS": "avx1024"])
            #expect(result.code == 64, "\(result)")
            #expect(result.error.contains("UNOLORA_VECTORS") && result.error.contains("plain"), "\(result)")
            // An empty variable is one that is not set.
            let empty = try Program.run(project.train(), ranks: ranks, environment: ["UNOLORA_VECTORS": ""])
            #expect(empty.code == 0, "\(empty)")
        }

        @Test(.enabled(if: ["avx2", "avx512"].contains(KernelBuild.loops), "needs AVX2"))
        func `AVX2 gives the bits of the fastest version, also where ranks differ`() throws {
            let original = try TinyProject()
            func outcome(_ environment: [String: String], ranks: Int?, perRank: String? = nil) throws -> Outcome {
                let project = try original.copy()
                let prefix = try perRank.map { try project.perRank($0 + "exec \"$@\"\n") } ?? [Program.path]
                let result = try Program.run(command: prefix + project.train(), ranks: ranks, environment: environment)
                #expect(result.code == 0, "\(result)")
                return try Outcome(run: project.file("run"))
            }
            let fastest = try outcome([:], ranks: nil)
            #expect(try outcome(["UNOLORA_VECTORS": "avx2"], ranks: nil) == fastest)
            let some = "if [ $rank = 1 ]; then export UNOLORA_VECTORS=avx2; fi\n"
            #expect(try outcome([:], ranks: 2, perRank: some) == fastest)
        }

        /// The sums of `plain` are rounded elsewhere, so a job may not mix it with the others.
        @Test(.enabled(if: ["avx2", "avx512"].contains(KernelBuild.loops), "needs AVX2"))
        func `ranks with and without vectors are refused`() throws {
            let project = try TinyProject()
            let some = try project.perRank(
                "if [ $rank = 1 ]; then export UNOLORA_VECTORS=plain; fi\nexec \"$@\"\n")
            let result = try Program.run(command: some + project.train(), ranks: 2)
            #expect(result.code == 87 && result.error.contains("without vectors"), "\(result)")
            #expect(result.error.contains("the same UNOLORA_VECTORS"), "\(result)")
            let doctor = try Program.run(command: some + ["doctor"], ranks: 2)
            #expect(doctor.code == 0 && doctor.output.contains("rank 1: products by "), "\(doctor)")
            #expect(doctor.output.contains("a run refuses that"), "\(doctor)")
        }
    }
}
