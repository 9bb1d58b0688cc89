import Foundation
import Testing

extension ProgramTests {
    /// Run directories that hold files of the user's own.
    @Suite struct ForeignFileTests {
        private static let project = Swift.Result { try TinyProject() }

        @Test(arguments: [nil, 2])
        func `a start does not overwrite the user's own config.yaml`(ranks: Int?) throws {
            let project = try Self.project.get().copy()
            try project.write("config.yaml", TinyProject.yaml)
            let before = try digests(below: project.path)
            let result = try Program.run(
                ["train", "--config", "config.yaml", "--out", "."], ranks: ranks, directory: project.path)
            #expect(result.code == 74, "\(result.error)")
            #expect(result.sentences.count == 1 && result.error.contains("choose another --out"), "\(result.error)")
            #expect(try digests(below: project.path) == before)
        }

        @Test func `a run goes on from its own config.yaml, and starts anew from it unless it was changed`() throws {
            let project = try Self.project.get().copy()
            #expect(try Program.run(project.train(["--stop-after", "4"])).code == 85)
            let run = ["train", "--config", "run/config.yaml", "--out", "run"]
            let resumed = try Program.run(run + ["--stop-after", "5"], directory: project.path)
            #expect(resumed.code == 85, "\(resumed.error)")
            #expect(resumed.output.contains("at step 4"), "\(resumed.output)")
            // As after a start that failed before its first checkpoint.
            try FileManager.default.removeItem(atPath: project.file("run/checkpoints"))
            #expect(try Program.run(run + ["--stop-after", "4"], directory: project.path).code == 85)
            try FileManager.default.removeItem(atPath: project.file("run/checkpoints"))
            try project.replace("model:", by: "# mine\nmodel:", in: "run/config.yaml")
            let refused = try Program.run(run, directory: project.path)
            #expect(refused.code == 74, "\(refused.error)")
            #expect(refused.error.contains("run/config.yaml is the configuration of this start"), "\(refused.error)")
            #expect(try String(contentsOfFile: project.file("run/config.yaml"), encoding: .utf8).contains("# mine"))
            #expect(try Program.run(project.train(["--stop-after", "1"])).code == 85)
        }
    }
}
