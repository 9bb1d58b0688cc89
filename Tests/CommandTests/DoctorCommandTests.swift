import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// `doctor`.
    @Suite struct DoctorCommandTests {
        @Test(arguments: [nil, 1, 3]) func `doctor has a line for each rank`(ranks: Int?) throws {
            let result = try Program.run(["doctor"], ranks: ranks)
            #expect(result.code == 0, "\(result.error)")
            let lines = result.output.split(separator: "\n")
            for rank in 0..<(ranks ?? 1) {
                #expect(lines.count { $0.hasPrefix("\(rank)  ") } == 1, "\(result.output)")
            }
            for word in ["MPI ", "BLAS ", "thread level"] { #expect(result.output.contains(word)) }
        }

        /// Nothing is packed for it, so every library would be OpenBLAS.
        @Test func `doctor says what auto is for a method that trains every weight`() throws {
            let project = try TinyProject().copy(method: "full")
            let result = try Program.run(["doctor", "--config", project.configuration])
            #expect(result.code == 0 && result.output.contains("parallel.gemm auto is openblas for"), "\(result)")
        }

        @Test func `doctor warns of threads and ranks that a run would leave idle`() throws {
            let project = try TinyProject()
            let arguments = ["doctor", "--config", project.configuration, "--set", "parallel.threads=3"]
            let threads = try Program.run(arguments, ranks: 4)
            #expect(threads.code == 0 && threads.output.contains("2 of 3 threads of a rank will idle"), "\(threads)")
            let ranks = try Program.run(arguments, ranks: 5)
            #expect(ranks.code == 0 && ranks.output.contains("5 ranks are more than the 4 micro-batches"), "\(ranks)")
            #expect(try !Program.run(["doctor"], ranks: 4).output.contains("idle"))
        }
    }
}
