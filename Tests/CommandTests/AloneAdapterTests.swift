import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Adapters of which nothing but their own directory is left.
    @Suite struct AloneAdapterTests {
        private static func lines(_ project: TinyProject) throws -> String {
            try project.write(
                "lines.jsonl",
                """
                {"task": "colour", "sentence": "baran cesel ditim fovok"}
                {"task": "pair", "first": "guran", "second": "guran sel"}
                {"task": "grade", "text": "hazar likel moran"}

                """)
        }

        @Test(arguments: ["unolora", "unolora_star", "lora_per_task", "hyperformer_pp", "full"])
        func `an adapter answers and is begun with after its run was deleted`(method: String) throws {
            let original = try TinyProject()
            let project = try original.copy(method: method)
            let peak = method == "full" ? "1e-3" : "5e-2"
            let trained = try Program.run(project.train(["--set", "lr.peak=\(peak)"]))
            #expect(trained.code == 0, "\(trained.error)")
            let (run, input) = (project.file("run"), try Self.lines(project))
            let predict = ["--input", input, "--scores"]
            let answers = try Program.run(["predict", run, "--checkpoint", "last"] + predict)
            #expect(answers.code == 0 && answers.output.split(separator: "\n").count == 3, "\(answers)")
            let exported = try Program.run(
                ["export", run, "--format", "native", "--out", project.file("native"), "--checkpoint", "last"])
            #expect(exported.code == 0, "\(exported)")
            try FileManager.default.copyItem(atPath: run + "/checkpoints/last/adapter", toPath: project.file("adapter"))
            for name in ["run", "colour", "pair", "grade", "run.yaml"] {
                try FileManager.default.moveItem(atPath: project.file(name), toPath: project.file("gone-\(name)"))
            }
            let places = [
                project.file("adapter"), project.file("native"), project.file("native/unolora_adapter.safetensors"),
            ]
            for place in places {
                let alone = try Program.run(["predict", place, "--model", project.file("model")] + predict)
                #expect(alone.code == 0 && alone.output == answers.output, "\(place): \(alone)")
            }
            let two = try Program.run(
                ["predict", places[0], "--model", project.file("model")] + predict, ranks: 2)
            #expect(two.code == 0 && two.output == answers.output, "\(two)")
            let without = try Program.run(["predict", places[0]] + predict)
            #expect(without.code == 64 && without.error.contains("its base model"), "\(without)")
            // Another run begins with it, and a step that changes nothing keeps its answers.
            for name in ["colour", "pair", "grade", "run.yaml"] {
                try FileManager.default.moveItem(atPath: project.file("gone-\(name)"), toPath: project.file(name))
            }
            for (index, place) in places.enumerated() {
                let next = try Program.run([
                    "train", "--config", project.configuration, "--out", project.file("next-\(index)"), "--init-from",
                    place, "--set", "train.steps=1", "--set", "lr.warmup=0", "--set", "lr.peak=1e-37",
                    "--set", "optim.weightDecay=0", "--set", "eval.atEnd=false",
                ])
                #expect(next.code == 0 && next.output.contains("begins with the adapter in"), "\(next)")
                let kept = try Program.run(
                    ["predict", project.file("next-\(index)"), "--checkpoint", "last"] + predict)
                #expect(kept.code == 0 && kept.output == answers.output, "\(place): \(kept)")
            }
        }

        @Test func `another model is refused with both digests, also for a start`() throws {
            let project = try TinyProject()
            #expect(try Program.run(project.train(["--set", "eval.atEnd=false"])).code == 0)
            try FileManager.default.copyItem(
                atPath: project.file("run/checkpoints/last/adapter"), toPath: project.file("adapter"))
            try FileManager.default.copyItem(atPath: project.file("model"), toPath: project.file("other"))
            try project.replace("1e-06", by: "1e-05", in: "other/config.json")
            let predict = ["predict", project.file("adapter"), "--task", "colour", "--input", try Self.lines(project)]
            let other = try Program.run(predict + ["--model", project.file("other")])
            #expect(other.code == 78 && other.sentences.count == 1, "\(other)")
            #expect(other.error.matches(of: #/\b[0-9a-f]{32}\b/#).count == 2, "\(other.error)")
            let start = try Program.run(
                [
                    "train", "--config", project.configuration, "--out", project.file("next"), "--set", "model=other",
                    "--init-from", project.file("adapter"),
                ], directory: project.path)
            #expect(start.code == 78 && start.error.contains("was trained on another model"), "\(start)")
            // An adapter of an earlier version does not say what its tasks are.
            try FileManager.default.removeItem(atPath: project.file("adapter/unolora_tasks.json"))
            let early = try Program.run(predict + ["--model", project.file("model")])
            #expect(early.code == 65 && early.error.contains("earlier version"), "\(early)")
            try project.write("adapter/unolora_tasks.json", "{}")
            let damaged = try Program.run(predict + ["--model", project.file("model")])
            #expect(damaged.code == 65 && damaged.error.contains("unolora_tasks.json"), "\(damaged)")
        }
    }
}
