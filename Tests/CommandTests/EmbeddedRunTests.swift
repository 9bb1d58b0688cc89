import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// The run of the bare command: the embedded example.
    @Suite struct EmbeddedRunTests {
        @Test(arguments: [
            (["lr.peak=-1"], nil), (["lora.rnk=4"], nil), (["train.steps=50", "lr.warmup=60"], nil),
            (["batch.global=4", "batch.micro=4"], 2),
        ])
        func `settings that are refused leave nothing behind`(settings: [String], ranks: Int?) throws {
            let directory = try TemporaryDirectory()
            let run = directory.file("run")
            let result = try Program.run(
                ["train", "--out", run] + settings.flatMap { ["--set", $0] }, ranks: ranks)
            #expect(result.code == 78 && result.sentences.count == 1, "\(result.error)")
            #expect(!FileManager.default.fileExists(atPath: run))
        }

        @Test func `a run that was moved finds its model and its data`() throws {
            let directory = try TemporaryDirectory()
            let (first, second) = (directory.file("run"), directory.file("moved/elsewhere"))
            let settings = ["train.steps=2", "lr.warmup=0", "eval.every=null", "eval.atEnd=false"]
            let arguments = settings.flatMap { ["--set", $0] }
            let trained = try Program.run(["train", "--out", first] + arguments)
            #expect(trained.code == 0, "\(trained.error)")
            let lines = try directory.write("lines", "{\"sentence\": \"a good book\"}\n")
            func predict(_ run: String) throws -> String {
                let result = try Program.run(
                    ["predict", run, "--checkpoint", "last", "--task", "sentiment", "--scores", "--input", lines])
                #expect(result.code == 0, "\(result.error)")
                return result.output
            }
            let before = try predict(first)
            try FileManager.default.createDirectory(
                atPath: directory.file("moved"), withIntermediateDirectories: true)
            try FileManager.default.moveItem(atPath: first, toPath: second)
            #expect(try predict(second) == before)
            let evaluated = try Program.run(["evaluate", second, "--checkpoint", "last"])
            #expect(evaluated.code == 0, "\(evaluated.error)")
            // The same run goes on, and its own file says the same as the example.
            for start in [["--out", second], ["--config", second + "/config.yaml", "--out", second]] {
                let again = try Program.run(["train"] + start + arguments)
                #expect(again.code == 0 && !again.error.contains("lr.warmup"), "\(again.error)")
            }
        }
    }
}
