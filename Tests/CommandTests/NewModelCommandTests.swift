import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// `new-model`.
    @Suite struct NewModelCommandTests {
        @Test(arguments: ["new", "link"])
        func `new-model keeps a vocabulary that is in its place already`(name: String) throws {
            let project = try TinyProject()
            let vocabulary = project.file("new/spiece.model")
            try FileManager.default.createDirectory(atPath: project.file("new"), withIntermediateDirectories: true)
            try FileManager.default.moveItem(atPath: project.file("model/spiece.model"), toPath: vocabulary)
            try FileManager.default.createSymbolicLink(
                atPath: project.file("link"), withDestinationPath: project.file("new"))
            let before = try Data(contentsOf: URL(fileURLWithPath: vocabulary))
            let made = try Program.run([
                "new-model", "--preset", "t5-mini", "--out", project.file("new"), "--vocabulary",
                project.file(name) + "/spiece.model",
            ])
            #expect(made.code == 0, "\(made.error)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: vocabulary)) == before)
        }

        @Test func `new-model that met a limit leaves nothing that looks like a model, and can be repeated`() throws {
            let project = try TinyProject()
            let out = project.file("new")
            let arguments = [
                "new-model", "--preset", "t5-mini", "--out", out, "--vocabulary", project.file("model/spiece.model"),
            ]
            let limited = try Program.run(
                command: ["sh", "-c", "ulimit -f 2000; exec \"$@\"", "sh", Program.path] + arguments)
            #expect(limited.code == 74, "\(limited.code) \(limited.error)")
            #expect(limited.sentences.count == 1 && limited.error.contains("ulimit -f"), "\(limited.error)")
            let left = try FileManager.default.contentsOfDirectory(atPath: out).sorted()
            #expect(left == ["config.json", "spiece.model"])
            #expect(try Program.run(arguments).code == 0)
            let shards = project.file("shards")
            try project.write("shards/model.safetensors.index.json", "{}")
            let refused = try Program.run(["new-model", "--preset", "t5-mini", "--out", shards])
            #expect(refused.code == 74 && refused.error.contains("index.json"), "\(refused.error)")
        }

        @Test func `new-model writes a model that plan and evaluation of a frozen run accept`() throws {
            let project = try TinyProject()
            let out = project.file("new")
            let arguments = ["new-model", "--preset", "t5-mini", "--out", out]
            let made = try Program.run(arguments + ["--vocabulary", project.file("model/spiece.model")])
            #expect(made.code == 0, "\(made.error)")
            #expect(made.output.contains("150 pieces"))
            let result = try Program.run([
                "train", "--config", project.configuration, "--set", "model=\(out)", "--set", "method=frozen", "--set",
                "train.steps=1", "--set", "lr.warmup=0", "--out", project.file("frozen"),
            ])
            #expect(result.code == 0, "\(result.error)")
            let again = try Program.run(arguments)
            #expect(again.code == 74 && again.error.contains(out), "\(again.error)")
            let unknown = try Program.run(["new-model", "--preset", "t5-huge", "--out", project.file("huge")])
            #expect(unknown.code == 64 && unknown.error.contains("t5-base"), "\(unknown.error)")
        }
    }
}
