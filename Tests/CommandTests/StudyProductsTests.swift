import Foundation
import Kernels
import TestSupport
import Testing

extension ProgramTests {
    /// Studies with rows whose products are not to be had on every machine.
    @Suite struct StudyProductsTests {
        /// With less than the processor has, oneDNN computes no products in bfloat16, as on most processors.
        private static let older = ["ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"]

        private static func project() throws -> TinyProject {
            let project = try TinyProject()
            try project.write(
                "study.yaml",
                """
                run: run.yaml
                set: {train.steps: 4, lr.warmup: 1, log.tensorBoard: false}
                rows:
                  - {name: plain}
                  - {name: half, set: {model.products: bfloat16, parallel.gemm: onednn}}

                """)
            return project
        }

        private static func arguments(_ project: TinyProject) -> [String] {
            ["study", "--config", project.file("study.yaml"), "--out", project.file("study")]
        }

        @Test(arguments: [nil, 2])
        func `a row that this machine cannot compute is refused before the first run begins`(ranks: Int?) throws {
            let project = try Self.project()
            let result = try Program.run(Self.arguments(project), ranks: ranks, environment: Self.older)
            #expect(result.code == 78 && result.sentences.count == 1, "\(result)")
            #expect(result.error.contains("study.yaml:5: row half: "), "\(result.error)")
            #expect(!FileManager.default.fileExists(atPath: project.file("study/runs/plain")))
        }

        @Test func `the plan of a study names the row that this machine cannot compute`() throws {
            let project = try Self.project()
            let plan = try Program.run(
                ["study", "plan", "--config", project.file("study.yaml")], environment: Self.older)
            #expect(plan.code == 78 && plan.sentences.count == 1, "\(plan)")
            #expect(plan.error.contains("study.yaml:5: row half: "), "\(plan.error)")
        }

        @Test(.enabled(if: OneDNN.hasBFloat16, "needs oneDNN and AVX512_BF16"))
        func `a finished study's table is written again where its products are not to be had`() throws {
            let project = try Self.project()
            #expect(try Program.run(Self.arguments(project)).code == 0)
            let again = try Program.run(Self.arguments(project), environment: Self.older)
            #expect(again.code == 0 && again.output.contains("2 of 2 runs were finished before"), "\(again)")
        }

        @Test func `a row whose method the model does not have is named`() throws {
            let project = try TinyProject()
            try project.write(
                "study.yaml",
                "run: run.yaml\nrows:\n  - {name: plain}\n  - {name: large, set: {lora.rank: 64}}\n")
            for command in [Self.arguments(project), ["study", "plan", "--config", project.file("study.yaml")]] {
                let result = try Program.run(command)
                #expect(result.code == 78 && result.error.contains("study.yaml:4: row large: "), "\(result)")
            }
        }
    }
}
