import Foundation
import Tensors
import TestSupport
import Testing

extension ProgramTests {
    /// Runs in which parts of the adapter stay as they began.
    @Suite struct FrozenPartRunTests {
        private static let onlyNewTask = [
            "hyper.onlyNewTasks=true", "lora.freezeA=true", "lora.freezeB=true",
        ]

        /// A project with an origin, `origin`, whose tasks are those of `TinyProject`, and then one task more between two of them.
        private static func project() throws -> TinyProject {
            let project = try TinyProject()
            #expect(try train(project, "origin", ["train.steps=20"]).code == 0)
            try addShade(to: project)
            return project
        }

        private static func addShade(to project: TinyProject) throws {
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
        }

        private static func train(
            _ project: TinyProject, _ run: String, _ settings: [String], _ more: [String] = [], ranks: Int? = nil
        ) throws -> Program.Result {
            try Program.run(
                ["train", "--config", project.configuration, "--out", project.file(run)]
                    + (settings + ["eval.every=null", "eval.atEnd=false"]).flatMap { ["--set", $0] } + more,
                ranks: ranks)
        }

        private static func from(_ project: TinyProject) -> [String] { ["--init-from", project.file("origin")] }

        /// The tensors of the last checkpoint's adapter, or of another file of it.
        private static func tensors(
            _ project: TinyProject, _ run: String, _ file: String = "adapter/unolora_model.safetensors",
            checkpoint: String = "last"
        ) throws -> [String: [Float]] {
            let file = try SafetensorsFile(path: project.file(run) + "/checkpoints/\(checkpoint)/" + file)
            return try Dictionary(
                uniqueKeysWithValues: file.tensors.map { ($0.name, try file.readFloats(named: $0.name)) })
        }

        private static func predict(_ project: TinyProject, _ run: String, _ task: String) throws -> [String] {
            let inputs = (0..<12).map { row in
                let words = "baran cesel \(row % 3 == 0 ? "ditim" : "fovok") guwun"
                return switch task {
                case "pair": "{\"first\": \"\(words)\", \"second\": \"\(row % 2 == 0 ? words : "hazar")\"}"
                case "grade": "{\"text\": \"\(words)\"}"
                default: "{\"sentence\": \"\(words)\"}"
                }
            }
            let file = try project.write("inputs.jsonl", inputs.joined(separator: "\n") + "\n")
            let result = try Program.run([
                "predict", project.file(run), "--task", task, "--input", file, "--checkpoint", "last",
            ])
            #expect(result.code == 0, "\(result.error)")
            return result.output.split(separator: "\n").map(String.init)
        }

        @Test func `a task is added without changing an answer to the others`() throws {
            let project = try Self.project()
            let result = try Self.train(project, "more", Self.onlyNewTask + ["train.steps=30"], Self.from(project))
            #expect(result.code == 0, "\(result.error)")
            #expect(result.output.contains(": 8 trainable of "))
            #expect(result.output.contains("new tasks shade begin at the mean"))
            let (before, after) = (try Self.tensors(project, "origin"), try Self.tensors(project, "more"))
            #expect(before.keys == after.keys && before.count > 20)
            let name = "hypernet.task_embedding.weight"
            for (key, values) in before where key != name { #expect(after[key] == values, "\(key)") }
            let (old, new) = (try #require(before[name]), try #require(after[name]))
            #expect(Array(new[..<8] + new[16...]) == old)
            for i in 0..<8 {
                let mean: Float = (old[i] + old[8 + i] + old[16 + i]) / 3
                #expect(abs(new[8 + i] - mean) > 1e-3, "the new task has learned")
            }
            for task in ["colour", "pair", "grade"] {
                #expect(try Self.predict(project, "more", task) == Self.predict(project, "origin", task), "\(task)")
            }
            let moments = try Self.tensors(project, "more", "optimizer.safetensors")
            #expect(moments.mapValues(\.count) == ["m." + name: 8, "v." + name: 8])
            let evaluated = try Program.run(["evaluate", project.file("more"), "--checkpoint", "last"])
            #expect(evaluated.code == 0 && evaluated.output.contains("shade"), "\(evaluated.error)")
            // What is trained of an adapter does not decide with what another run can begin.
            let next = try Self.train(
                project, "next", ["train.steps=2", "lr.warmup=0"], ["--init-from", project.file("more")])
            #expect(next.code == 0, "\(next.error)")
        }

        @Test func `a run with new tasks goes on without its origin, and has the same bits on ranks and when repeated`()
            throws
        {
            let project = try Self.project()
            #expect(try Self.train(project, "whole", Self.onlyNewTask, Self.from(project)).code == 0)
            let replay = try Program.run(["reproduce", project.file("whole")], ranks: 3)
            #expect(replay.code == 0 && replay.output.contains("the same bits"), "\(replay)")
            let stopped = try Self.train(
                project, "run", Self.onlyNewTask + ["checkpoint.snapshot=file"],
                Self.from(project) + ["--stop-after", "5"], ranks: 2)
            #expect(stopped.code == 85, "\(stopped.error)")
            let changed = try Self.train(project, "run", Array(Self.onlyNewTask.dropLast()), Self.from(project))
            #expect(
                changed.code == 78 && changed.error.contains("lora.freezeB was true and is false"), "\(changed.error)")
            let whole = try Self.train(project, "run", Array(Self.onlyNewTask.dropFirst()), Self.from(project))
            #expect(
                whole.code == 78 && whole.error.contains("hyper.onlyNewTasks was true and is false"), "\(whole.error)")
            try FileManager.default.removeItem(atPath: project.file("origin"))
            // Nobody knows any more which tasks are new, so the state says it or is refused.
            let damaged = project.file("damaged")
            try FileManager.default.copyItem(atPath: project.file("run"), toPath: damaged)
            let checkpoint =
                damaged + "/checkpoints/"
                + (try FileManager.default.destinationOfSymbolicLink(
                    atPath: damaged + "/checkpoints/last"))
            try rewriteIdentity(of: checkpoint) { identity in
                #expect(identity["newTasks"] as? [String] == ["shade"])
                identity["newTasks"] = nil
            }
            let refused = try Self.train(
                project, "damaged", Self.onlyNewTask, Self.from(project) + ["--resume", checkpoint])
            #expect(refused.code == 65 && refused.error.contains("which tasks are new"), "\(refused)")
            let goesOn = try Self.train(project, "run", Self.onlyNewTask, Self.from(project), ranks: 3)
            #expect(goesOn.code == 0, "\(goesOn.error)")
            #expect(try Outcome(run: project.file("run")) == Outcome(run: project.file("whole")))
            let added = try Self.train(project, "fresh", Self.onlyNewTask, Self.from(project))
            #expect(added.code == 66 && added.error.contains("init.from"), "\(added.error)")
        }

        @Test(arguments: ["unolora", "unolora_star", "lora_per_task"])
        func `a frozen A stays at its random start, and B learns`(method: String) throws {
            let project = try TinyProject()
            let settings = ["method=\(method)", "lora.freezeA=true", "train.steps=8"]
            let result = try Self.train(project, "run", settings)
            #expect(result.code == 0, "\(result.error)")
            // A step with this rate leaves the weights as they are.
            let still = ["lr.peak=1e-37", "lr.warmup=0", "optim.weightDecay=0", "train.steps=1"]
            #expect(try Self.train(project, "start", ["method=\(method)"] + still).code == 0)
            let (start, end) = (try Self.tensors(project, "start"), try Self.tensors(project, "run"))
            #expect(start.keys == end.keys)
            for (key, values) in start {
                #expect((end[key] == values) == key.hasSuffix("lora_A.weight"), "\(key)")
            }
            let moments = try Self.tensors(project, "run", "optimizer.safetensors")
            #expect(
                Set(moments.keys)
                    == Set(start.keys.filter { !$0.hasSuffix("lora_A.weight") }.flatMap { ["m." + $0, "v." + $0] }))
            let count = start.values.reduce(0) { $0 + $1.count }
            let frozen = start.filter { $0.key.hasSuffix("lora_A.weight") }.values.reduce(0) { $0 + $1.count }
            #expect(result.output.contains(": \(count - frozen) trainable of "))
            #expect(result.output.contains("\(frozen) of the adapter's \(count) weights stay as they began"))
        }

        @Test func `what is frozen has no part in the norm of the gradient`() throws {
            struct Record: Decodable {
                var gradientNorm: Double?
            }
            let project = try TinyProject()
            func norm(_ run: String, _ settings: [String]) throws -> Double {
                let result = try Self.train(
                    project, run,
                    settings + [
                        "method=unolora", "train.steps=1", "lr.warmup=0", "log.every=1",
                        "init.from=\(project.file("origin"))",
                    ])
                #expect(result.code == 0, "\(result.error)")
                let text = try String(contentsOfFile: project.file(run) + "/metrics.jsonl", encoding: .utf8)
                return try #require(
                    JSONDecoder().decode(Record.self, from: Data(text.split(separator: "\n")[0].utf8)).gradientNorm)
            }
            #expect(try Self.train(project, "origin", ["method=unolora", "train.steps=20"]).code == 0)
            let whole = try norm("whole", [])
            let (b, a) = (try norm("b", ["lora.freezeA=true"]), try norm("a", ["lora.freezeB=true"]))
            #expect(a > 0.01 * whole && b > 0.01 * whole)
            #expect(abs(a * a + b * b - whole * whole) < 1e-9 * whole * whole)
        }

        @Test func `what cannot learn, and an origin that has all tasks, is refused`() throws {
            let project = try Self.project()
            let random = try TinyProject()
            #expect(
                try Self.train(random, "origin", ["method=lora_per_task", "train.steps=2", "lr.warmup=0"]).code == 0)
            try Self.addShade(to: random)
            let zeros = try Self.train(
                random, "run", ["method=lora_per_task", "lora.freezeB=true", "init.newTask=random"], Self.from(random))
            #expect(
                zeros.code == 78 && zeros.error.contains("lora_B.weight at 0 for shade, where it is frozen"),
                "\(zeros.error)")
            #expect(
                try Self.train(random, "run", ["method=lora_per_task", "lora.freezeB=true"], Self.from(random)).code
                    == 0)
            let method = try Self.train(random, "star", ["hyper.onlyNewTasks=true"], Self.from(random))
            #expect(method.code == 78 && method.error.contains("is of method lora_per_task"), "\(method.error)")
            // A run with fewer tasks than the origin has no new one either.
            let names = try String(contentsOfFile: project.configuration, encoding: .utf8)
            let start = try #require(names.range(of: "  - name: shade\n"))
            let end = try #require(names.range(of: "  - name: pair\n"))
            try project.write("run.yaml", names.replacingCharacters(in: start.lowerBound..<end.lowerBound, with: ""))
            let refused = try Self.train(project, "run", ["hyper.onlyNewTasks=true"], Self.from(project))
            #expect(
                refused.code == 78
                    && refused.error.contains("has all tasks of the run (colour, pair, grade), so there is no new one"),
                "\(refused.error)")
            let plan = try Program.run([
                "plan", "--config", project.configuration, "--set", "hyper.onlyNewTasks=true", "--set",
                "init.from=\(project.file("origin"))",
            ])
            #expect(plan.code == 78 && plan.error.contains("has all tasks of the run"), "\(plan.error)")
        }

        @Test func `plan counts the embeddings of new tasks`() throws {
            let project = try Self.project()
            let result = try Program.run(
                ["plan", "--config", project.configuration]
                    + (Self.onlyNewTask + ["init.from=\(project.file("origin"))"]).flatMap { ["--set", $0] })
            #expect(result.code == 0, "\(result.error)")
            let words = result.output.split(separator: "\n").map { $0.split(separator: " ") }
            #expect(words.contains { $0.starts(with: ["trainable", "8", "weights"]) }, "\(result.output)")
        }
    }
}
