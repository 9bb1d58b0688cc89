import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Runs that begin with the adapter of another run.
    @Suite struct WarmStartTests {
        /// A step with this rate leaves the weights as they are.
        private static let still = ["--set", "lr.peak=1e-37", "--set", "lr.warmup=0", "--set", "optim.weightDecay=0"]

        private static func train(_ project: TinyProject, _ run: String, _ arguments: [String]) throws -> Program.Result
        {
            try Program.run(
                ["train", "--config", project.configuration, "--out", project.file(run), "--set", "eval.atEnd=false"]
                    + arguments)
        }

        private static func predict(_ project: TinyProject, _ run: String, _ task: String) throws -> [String] {
            let inputs = (0..<12).map { row in
                let words = "baran cesel \(row % 3 == 0 ? "ditim" : "fovok") guwun"
                return task == "pair"
                    ? "{\"first\": \"\(words)\", \"second\": \"\(row % 2 == 0 ? words : "hazar")\"}"
                    : "{\"sentence\": \"\(words)\"}"
            }
            let file = try project.write("inputs.jsonl", inputs.joined(separator: "\n") + "\n")
            let result = try Program.run([
                "predict", project.file(run), "--task", task, "--input", file, "--checkpoint", "last",
            ])
            #expect(result.code == 0, "\(result.error)")
            return result.output.split(separator: "\n").map(String.init)
        }

        private static func loss(_ project: TinyProject, _ run: String, last: Bool) throws -> Double {
            struct Record: Decodable {
                var loss: Double?
            }
            let text = try String(contentsOfFile: project.file(run) + "/metrics.jsonl", encoding: .utf8)
            let losses = try text.split(separator: "\n").compactMap {
                try JSONDecoder().decode(Record.self, from: Data($0.utf8)).loss
            }
            return try #require(last ? losses.last : losses.first)
        }

        @Test(arguments: ["unolora", "unolora_star", "lora_per_task", "hyperformer_pp", "full"])
        func `a run goes on where the run ended with whose adapter it begins`(method: String) throws {
            let project = try TinyProject()
            let chosen = ["--set", "method=\(method)"]
            let long = chosen + ["--set", "train.steps=40", "--set", "eval.every=null", "--set", "log.every=10"]
            #expect(try Self.train(project, "origin", long).code == 0)
            let still =
                chosen + Self.still + ["--set", "train.steps=10", "--set", "eval.every=null", "--set", "log.every=10"]
            let warm = try Self.train(project, "warm", still + ["--init-from", project.file("origin")])
            #expect(warm.code == 0, "\(warm.error)")
            #expect(warm.output.contains("begins with the adapter in"))
            #expect(try Self.train(project, "cold", still).code == 0)
            let (before, after) = (
                try Self.loss(project, "origin", last: true), try Self.loss(project, "warm", last: false)
            )
            let cold = try Self.loss(project, "cold", last: false)
            // The examples are others, but the run is far from a random start.
            #expect(
                abs(after - before) < 0.25 * (cold - before), "\(before), then \(after); from a random start \(cold)")
            #expect(try Self.predict(project, "warm", "colour") == Self.predict(project, "origin", "colour"))
        }

        @Test(arguments: ["unolora", "unolora_star", "lora_per_task", "hyperformer_pp"])
        func `with a new task the old tasks' answers are the origin's until the first step`(method: String) throws {
            let project = try TinyProject()
            let chosen = ["--set", "method=\(method)", "--set", "eval.every=null"]
            #expect(try Self.train(project, "origin", chosen + ["--set", "train.steps=20"]).code == 0)
            try project.replace(
                "  - name: pair\n",
                by: """
                      - name: shade
                        format: tsv
                        train: colour/train.tsv
                        validation: colour/validation.tsv
                        test: colour/test.tsv
                        fields: [sentence]
                        labels: {r: "dark", b: "light"}
                      - name: pair

                    """, in: "run.yaml")
            let warm = try Self.train(
                project, "warm",
                chosen + Self.still + ["--set", "train.steps=1", "--init-from", project.file("origin")])
            #expect(warm.code == 0, "\(warm.error)")
            #expect(warm.output.contains("new tasks shade begin at the mean") == (method != "unolora"))
            // The new task stands between these two, so that tasks taken over by number would be others.
            for task in ["colour", "pair"] {
                #expect(try Self.predict(project, "warm", task) == Self.predict(project, "origin", task))
            }
        }

        @Test func `an interrupted run keeps its origin, and needs it no more`() throws {
            let project = try TinyProject()
            #expect(
                try Self.train(project, "origin", ["--set", "train.steps=4", "--set", "eval.every=null"]).code == 0)
            #expect(try Self.train(project, "other", ["--set", "train.steps=8", "--set", "eval.every=null"]).code == 0)
            let from = ["--init-from", project.file("origin")]
            #expect(try Self.train(project, "whole", from).code == 0)
            #expect(try Self.train(project, "run", from + ["--stop-after", "5"]).code == 85)
            let changed = try Self.train(project, "run", ["--init-from", project.file("other")])
            #expect(changed.code == 78 && changed.error.contains("init.from"), "\(changed.error)")
            try FileManager.default.removeItem(atPath: project.file("origin"))
            #expect(try Self.train(project, "run", from).code == 0)
            #expect(try Self.train(project, "run", ["--init-from", "nowhere"]).code == 78)
            let without = try Self.train(project, "run", [])
            #expect(without.code == 78 && without.error.contains("init.from"), "\(without.error)")
            #expect(try Outcome(run: project.file("run")) == Outcome(run: project.file("whole")))
            let fresh = try Self.train(project, "fresh", from)
            #expect(fresh.code == 66 && fresh.error.contains("init.from"), "\(fresh.error)")
        }

        @Test func `an adapter that means something else is refused by name`() throws {
            let project = try TinyProject()
            #expect(
                try Self.train(project, "origin", ["--set", "train.steps=4", "--set", "eval.every=null"]).code == 0)
            let from = ["--init-from", project.file("origin")]
            for (setting, name) in [
                ("lora.rank=2", "differs from the run's in rank"), ("lora.alpha=3", "differs from the run's in alpha"),
                ("method=unolora", "is of method unolora_star"),
            ] {
                let result = try Self.train(project, "refused", from + ["--set", setting])
                #expect(result.code == 78 && result.error.contains(name), "\(result.error)")
            }
            let meaningless = try Self.train(project, "refused", ["--set", "init.newTask=random"])
            #expect(meaningless.code == 78 && meaningless.error.contains("without init.from"), "\(meaningless.error)")
        }
    }
}
