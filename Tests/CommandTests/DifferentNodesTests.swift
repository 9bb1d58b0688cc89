import Foundation
import Kernels
import TestSupport
import Testing

extension ProgramTests {
    /// Ranks on nodes that would compute differently: each command says what its user can do about it.
    @Suite struct DifferentNodesTests {
        /// A finished run, and lines to answer.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let result = try Program.run(project.train())
            #expect(result.code == 0, "\(result)")
            try project.write("lines.txt", "baran cesel\nditim fovok\n")
            return project
        }

        /// Two ranks, of which the second has these variables.
        private static func run(_ arguments: [String], _ project: TinyProject, with variables: String) throws
            -> Program.Result
        {
            let command = try project.perRank("[ $rank = 1 ] && export \(variables)\nexec \"$@\"\n")
            return try Program.run(command: command + arguments, ranks: 2)
        }

        private static func arguments(_ command: String, _ project: TinyProject) -> [String] {
            switch command {
            case "predict":
                ["predict", project.file("run"), "--task", "colour", "--input", project.file("lines.txt")]
            case "train": ["train", "--config", project.configuration, "--out", project.file("new")]
            case "resume": project.train()
            default: [command, project.file("run")]
            }
        }

        /// oneDNN, which can be told to use less than the processor has.
        private static let olderLibrary = "ONEDNN_MAX_CPU_ISA=AVX2 DNNL_MAX_CPU_ISA=AVX2"

        @Test(.enabled(if: OneDNN.isInBuild && OneDNN.isFast, "needs oneDNN and AVX-512"))
        func `an evaluation is told the library that all nodes have, and works with it`() throws {
            let project = try Self.shared.get().copy()
            let evaluate = Self.arguments("evaluate", project)
            let refused = try Self.run(evaluate, project, with: Self.olderLibrary)
            #expect(refused.code == 87, "\(refused)")
            let advice = "give --set parallel.gemm=openblas, or use the same program on nodes of one kind"
            #expect(refused.error.contains(advice) && !refused.error.contains("model.products"), "\(refused.error)")
            let set = ["--set", "parallel.gemm=openblas"]
            let result = try Self.run(evaluate + set, project, with: Self.olderLibrary)
            #expect(result.code == 0, "\(result)")
        }

        @Test(
            .enabled(if: OneDNN.isInBuild && OneDNN.isFast, "needs oneDNN and AVX-512"),
            arguments: [("predict", false), ("reproduce", false), ("train", true), ("resume", false)])
        func `other libraries are refused with what the command can do`(command: String, hasKeys: Bool) throws {
            let project = try Self.shared.get().copy()
            let result = try Self.run(Self.arguments(command, project), project, with: Self.olderLibrary)
            #expect(result.code == 87, "\(result)")
            #expect(result.error.contains("another way to multiply by frozen weights"), "\(result.error)")
            #expect(result.error.contains("use the same program on nodes of one kind"), "\(result.error)")
            let keys = "set parallel.gemm: openblas and model.products: float32"
            #expect(result.error.contains(keys) == hasKeys && !result.error.contains("--set"), "\(result.error)")
        }

        @Test(
            .enabled(if: ["avx2", "avx512"].contains(KernelBuild.loops), "needs AVX2"),
            arguments: ["evaluate", "predict", "reproduce"])
        func `other loops are refused with the variable that chooses them`(command: String) throws {
            let project = try Self.shared.get().copy()
            let result = try Self.run(Self.arguments(command, project), project, with: "UNOLORA_VECTORS=plain")
            #expect(result.code == 87 && result.error.contains("without vectors"), "\(result)")
            #expect(result.error.contains("with the same UNOLORA_VECTORS, as avx2"), "\(result.error)")
            #expect(!result.error.contains("parallel.gemm"), "\(result.error)")
            let alike = try Program.run(
                Self.arguments(command, project), ranks: 2, environment: ["UNOLORA_VECTORS": "avx2"])
            #expect(alike.code == 0, "\(alike)")
        }

        /// Products with weights that no library packs are OpenBLAS's in every run.
        @Test(
            .enabled(if: ["avx2", "avx512"].contains(KernelBuild.loops), "needs AVX2"),
            arguments: ["evaluate", "predict"])
        func `other BLAS kernels are refused where an adapter is used, too`(command: String) throws {
            let project = try Self.shared.get().copy()
            let arguments = Self.arguments(command, project)
            let kernels = ["OPENBLAS_CORETYPE": "Haswell"]
            let other = try project.perRank("[ $rank = 1 ] && export OPENBLAS_CORETYPE=Prescott\nexec \"$@\"\n")
            let result = try Program.run(command: other + arguments, ranks: 2, environment: kernels)
            #expect(result.code == 87, "\(result)")
            #expect(result.error.contains("set OPENBLAS_CORETYPE to kernels that all nodes have"), "\(result.error)")
            let alike = try Program.run(arguments, ranks: 2, environment: kernels)
            #expect(alike.code == 0, "\(alike)")
        }
    }
}
