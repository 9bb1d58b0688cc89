import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Runs whose model lies elsewhere than in the training (`--model`).
    @Suite struct MovedModelTests {
        /// A finished run whose model has moved to `elsewhere`.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            let result = try Program.run(project.train(["--set", "method=unolora"]))
            #expect(result.code == 0, "\(result.error)")
            try FileManager.default.moveItem(atPath: project.file("model"), toPath: project.file("elsewhere"))
            return project
        }

        /// The commands on the run.
        private static func commands(_ project: TinyProject) throws -> [[String]] {
            let run = project.file("run")
            for name in ["exported", "merged"] { try? FileManager.default.removeItem(atPath: project.file(name)) }
            let input = try project.write("input.txt", "baran cesel ditim\n")
            return [
                ["evaluate", run], ["predict", run, "--task", "colour", "--input", input],
                ["export", run, "--format", "native", "--out", project.file("exported")],
                ["export", run, "--format", "merged", "--out", project.file("merged")],
                ["reproduce", run, "--steps", "4"],
            ]
        }

        @Test(arguments: [nil, 2])
        func `every command takes the model where it lies now`(ranks: Int?) throws {
            let project = try Self.shared.get()
            // An export is the work of one process.
            for command in try Self.commands(project) where ranks == nil || command[0] != "export" {
                let refused = try Program.run(command, ranks: ranks)
                #expect(refused.code == 66 && refused.sentences.count == 1, "\(command): \(refused)")
                #expect(refused.error.contains("\(project.file("model")) of \(project.file("run")) does not exist"))
                #expect(refused.error.contains("--model"), "\(refused.error)")
                let taken = try Program.run(
                    command + ["--model", "elsewhere"], ranks: ranks, directory: project.path)
                #expect(taken.code == 0, "\(command): \(taken)")
            }
            #expect(
                ranks != nil || FileManager.default.fileExists(atPath: project.file("merged/model.safetensors")))
        }

        @Test func `another model is refused with both digests`() throws {
            let project = try Self.shared.get()
            try FileManager.default.copyItem(atPath: project.file("elsewhere"), toPath: project.file("other"))
            defer { try? FileManager.default.removeItem(atPath: project.file("other")) }
            try project.replace("1e-06", by: "1e-05", in: "other/config.json")
            let evaluated = try Program.run([
                "evaluate", project.file("run"), "--model", project.file("elsewhere"), "--json",
            ])
            let digest = try #require(evaluated.output.firstMatch(of: #/"model" : \{\s*"digest" : "([0-9a-f]+)"/#)).1
            for command in try Self.commands(project) {
                let result = try Program.run(command + ["--model", project.file("other")])
                #expect(result.code == 78 && result.sentences.count == 1, "\(command): \(result)")
                let digests = Set(result.error.matches(of: #/\b[0-9a-f]{32}\b/#).map { String($0.0) })
                #expect(digests.count == 2 && digests.contains(String(digest)), "\(command): \(result.error)")
            }
        }

        @Test func `a project is moved as a whole, with its run`() throws {
            let original = try TinyProject()
            #expect(try Program.run(original.train(["--set", "method=unolora"])).code == 0)
            let here = try Program.run(["evaluate", original.file("run"), "--json"])
            #expect(here.code == 0, "\(here)")
            let moved = try original.copy()
            let away = original.file("away")
            for name in ["model", "colour", "pair", "grade", "run"] {
                try FileManager.default.createDirectory(atPath: away, withIntermediateDirectories: true)
                try FileManager.default.moveItem(atPath: original.file(name), toPath: away + "/" + name)
            }
            func tasks(_ output: String) -> Substring? {
                output.firstRange(of: "\"tasks\"").flatMap { start in
                    output.firstRange(of: "\"timing\"").map { output[start.lowerBound..<$0.lowerBound] }
                }
            }
            for command in [
                ["evaluate", moved.file("run"), "--json"], ["evaluate", "run", "--json"],
                ["reproduce", moved.file("run"), "--steps", "4"], moved.train(["--set", "method=unolora"]),
            ] {
                let there = try Program.run(command, directory: moved.path)
                #expect(there.code == 0, "\(command): \(there)")
                if command[0] == "evaluate" { #expect(tasks(there.output) == tasks(here.output)) }
            }
        }
    }
}
