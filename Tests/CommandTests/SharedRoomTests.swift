import Foundation
import Kernels
import T5
import TestSupport
import Testing

private let canReplaceSharedMemory: Bool = {
    let result = try? Program.run(command: ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm"])
    return result?.code == 0
}()

extension ProgramTests {
    /// Ranks of a node whose shared memory (/dev/shm) is too small.
    @Suite(.enabled(if: canReplaceSharedMemory, "a small /dev/shm of its own needs root with the right to mount"))
    struct SharedRoomTests {
        /// Weights of some 17 MB, almost all of them in projections.
        private static let project = Swift.Result {
            let project = try TinyProject()
            var shape = T5Configuration.presets[0].configuration
            shape.vocabularySize = 160
            shape.modelWidth = 32
            shape.headWidth = 8
            shape.heads = 4
            shape.feedForwardWidth = 16_384
            shape.encoderBlocks = 2
            shape.decoderBlocks = 2
            try shape.writeNewModel(directory: project.file("model"), seed: 3)
            return project
        }

        /// Runs two ranks with a /dev/shm of this size, a part of which MPI itself uses.
        private func run(_ arguments: [String], megabytes: Int) throws -> Program.Result {
            try Program.run(
                command: [
                    "unshare", "-m", "sh", "-c",
                    "mount -t tmpfs -o size=\(megabytes)m tmpfs /dev/shm && exec mpirun --bind-to none -n 2 \"$@\"",
                    "sh",
                    Program.path,
                ] + arguments)
        }

        private func train(_ project: TinyProject, megabytes: Int, _ settings: [String]) throws -> Program.Result {
            try run(
                project.train(["--stop-after", "1"] + settings.flatMap { ["--set", $0] }), megabytes: megabytes)
        }

        static let cases: [(setting: String, remedy: String)] =
            [("model.storage=bfloat16", "model.storage: float32")]
            + (OneDNN.isInBuild ? [("parallel.gemm=onednn", "parallel.gemm: openblas")] : [])

        @Test(arguments: cases)
        func `too little room is refused with what is needed, free and of help, and is not to be started again`(
            setting: String, remedy: String
        ) throws {
            let project = try Self.project.get().copy()
            let result = try train(project, megabytes: 10, [setting])
            let status = try Status(run: project.file("run"))
            #expect(status.state == "failed" && status.exitCode == 71, "\(result.error)")
            #expect(result.code == 71 && result.sentences.count == 1, "\(result.error)")
            for part in [
                "the 2 ranks of this node cannot share ", " MB for ", "/dev/shm has ", " MB free", "--shm-size", remedy,
            ] {
                #expect(result.error.contains(part), "\(part): \(result.error)")
            }
            #expect(!result.error.contains("start again"))
        }

        @Test(.enabled(if: OneDNN.isInBuild, "needs oneDNN"))
        func `a command that takes its products from a run says what it can do`() throws {
            let project = try Self.project.get().copy()
            let trained = try Program.run(project.train(["--stop-after", "1", "--set", "parallel.gemm=onednn"]))
            #expect(trained.code == 85, "\(trained)")
            let evaluate = ["evaluate", project.file("run"), "--checkpoint", "last"]
            let refused = try run(evaluate, megabytes: 10)
            #expect(refused.code == 71, "\(refused)")
            #expect(refused.error.contains(", or give --set parallel.gemm=openblas, which packs none"), "\(refused)")
            #expect(try run(evaluate + ["--set", "parallel.gemm=openblas"], megabytes: 10).code == 0)
            let lines = try project.write("lines.txt", "baran cesel\n")
            let predict = try run(
                ["predict", project.file("run"), "--task", "colour", "--input", lines], megabytes: 10)
            #expect(predict.code == 71 && predict.error.contains("start one rank a node"), "\(predict)")
            #expect(!predict.error.contains("parallel.gemm"), "\(predict)")
        }

        @Test func `weights that stay in their file need no room`() throws {
            let project = try Self.project.get().copy()
            let result = try train(project, megabytes: 10, ["parallel.gemm=openblas"])
            #expect(result.code == 85, "\(result.error)")
        }
    }
}
