import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Studies with rows that begin with the adapters of another row.
    @Suite struct StudyOriginTests {
        private static let study = """
            run: run.yaml
            set: {train.steps: 24, eval.every: null, checkpoint.every: 5, log.tensorBoard: false}
            rows:
              - {name: warm, tasks: [colour], from: source}
              - {name: fresh, tasks: [colour]}
              - {name: source, tasks: [pair, grade]}
            seeds: [1, 2, 3]
            reference: fresh
            parallel: 2
            """

        private static func project(_ study: String = study) throws -> TinyProject {
            let project = try TinyProject()
            try project.write("study.yaml", study)
            return project
        }

        private static func arguments(_ project: TinyProject, _ more: [String] = []) -> [String] {
            ["study", "--config", project.file("study.yaml"), "--out", project.file("study")] + more
        }

        private static func table(_ project: TinyProject) throws -> String {
            try String(contentsOfFile: project.file("study/table.md"), encoding: .utf8)
        }

        /// The digests of the adapters of all finished runs.
        private static func adapters(_ project: TinyProject) throws -> [String: String] {
            var digests: [String: String] = [:]
            for row in ["warm", "fresh", "source"] {
                for seed in 1...3 {
                    let name = "\(row)/seed-\(seed)"
                    digests[name] = try Outcome(run: project.file("study/runs/" + name)).adapter
                }
            }
            return digests
        }

        /// The digest of the adapter with which a run began.
        private static func origin(_ project: TinyProject, _ run: String) throws -> String {
            let data = try Data(contentsOf: URL(fileURLWithPath: project.file("study/runs/\(run)/environment.json")))
            let record = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            let origin = try #require(record?["origin"] as? [String: String])
            #expect(try #require(origin["path"]).hasPrefix(project.file("study/runs/source/seed-")))
            return try #require(origin["digest"])
        }

        /// The origin of such a run is needed until it begins, and no longer.
        @Test func `rows can train the new tasks alone`() throws {
            let project = try Self.project(
                """
                run: run.yaml
                set: {train.steps: 6, eval.every: null, log.tensorBoard: false}
                rows:
                  - {name: source, tasks: [pair, grade]}
                  - {name: warm, tasks: [pair, colour], from: source, set: {hyper.onlyNewTasks: true}}
                seeds: [1]
                """)
            let plan = try Program.run(["study", "plan", "--config", project.file("study.yaml")])
            #expect(plan.code == 0, "\(plan.error)")
            let first = try Program.run(Self.arguments(project))
            #expect(first.code == 0, "\(first.error)")

            let source = project.file("study/runs/source/seed-1")
            let row = "set: {init.from: \(source), hyper.onlyNewTasks: true}"
            try project.write(
                "later.yaml",
                """
                run: run.yaml
                set: {train.steps: 6, eval.every: null, log.tensorBoard: false}
                rows: [{name: warm, tasks: [pair, colour], \(row)}]
                seeds: [1]
                """)
            let later = ["study", "--config", project.file("later.yaml"), "--out", project.file("later")]
            let begun = try Program.run(later)
            #expect(begun.code == 0, "\(begun.error)")
            try FileManager.default.moveItem(atPath: source, toPath: project.file("away"))
            let again = try Program.run(later)
            #expect(again.code == 0 && again.output.contains("1 of 1 runs were finished before"), "\(again)")
        }

        @Test func `a row whose runs would have no new task to train is refused`() throws {
            let project = try Self.project(
                """
                run: run.yaml
                rows:
                  - {name: source, tasks: [colour, pair]}
                  - {name: warm, tasks: each, from: source, set: {hyper.onlyNewTasks: true}}
                """)
            let refused = try Program.run(Self.arguments(project))
            #expect(refused.code == 78 && refused.error.contains("leaves none to train"), "\(refused)")
        }

        /// One process; two tasks of an array at once; the second task alone, to whose share no origin of its runs belongs; and
        /// one process that is killed on the way.
        @Test func `processes, shares and kills do not matter to runs that begin with others' adapters`() throws {
            let whole = try Self.project()
            let others = try (0..<3).map { _ in try whole.copy() }
            let plain = try Program.run(Self.arguments(whole))
            #expect(plain.code == 0, "\(plain)")
            let adapters = try Self.adapters(whole)
            #expect(Set(adapters.values).count == 9)
            #expect(try Set((1...3).map { try Self.origin(whole, "warm/seed-\($0)") }).count == 3)

            func part(_ project: TinyProject, _ task: Int) throws -> RunningProgram {
                try RunningProgram(
                    command: [Program.path] + Self.arguments(project),
                    environment: [
                        "SLURM_ARRAY_TASK_ID": "\(task)", "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_COUNT": "2",
                    ])
            }
            let both = try [1, 0].map { try part(others[0], $0) }
            for running in both {
                let result = try running.wait()
                #expect(result.code == 0, "\(result)")
            }
            #expect(try Self.adapters(others[0]) == adapters)

            for task in [1, 0] {
                let result = try part(others[1], task).wait()
                #expect(result.code == 0, "\(result)")
            }
            #expect(try Self.adapters(others[1]) == adapters)

            let killed = others[2]
            let running = try RunningProgram(
                command: ["sh", "-c", "echo $$ > '\(killed.path)/pid'; exec \"$@\"", "sh", Program.path]
                    + Self.arguments(killed))
            let log = killed.file("study/runs/source/seed-2/STATUS.json")
            running.wait { FileManager.default.fileExists(atPath: log) }
            let text = try String(contentsOfFile: killed.file("pid"), encoding: .utf8)
            let pid = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(kill(pid, SIGKILL) == 0)
            _ = try running.wait()
            let next = try Program.run(Self.arguments(killed))
            #expect(next.code == 0, "\(next)")
            #expect(try Self.adapters(killed) == adapters)
        }

        @Test func `a run whose origin failed is a cell that says so, and the others go on`() throws {
            let project = try Self.project(
                Self.study.replacing("[pair, grade]}", with: "[pair, grade], set: {lr.peak: 1e30, optim.clip: null}}")
                    .replacing("[1, 2, 3]", with: "[1]"))
            let result = try Program.run(Self.arguments(project))
            #expect(result.code == 86, "\(result)")
            let table = try Self.table(project)
            #expect(table.contains("| fresh  | 1 ") && table.contains("| warm   | 0 of 1 "), "\(table)")
            let reason = "- Missing: warm/seed-1: it begins with the adapter of source/seed-1, which has failed: "
            #expect(table.contains(reason) && table.contains("not finite"), "\(table)")
            #expect(!FileManager.default.fileExists(atPath: project.file("study/runs/warm/seed-1/config.yaml")))
        }

        /// The origin was removed and made again with other steps.
        @Test func `another adapter of the origin is noticed`() throws {
            let study = Self.study.replacing("[1, 2, 3]", with: "[1]")
            let project = try Self.project(study)
            #expect(try Program.run(Self.arguments(project)).code == 0)
            try project.write("study.yaml", study.replacing("[pair, grade]}", with: "[pair, grade], budget: own}"))
            let other = try Program.run(Self.arguments(project))
            #expect(other.code == 78, "\(other)")
            let table = try Self.table(project)
            #expect(
                table.contains("- Missing: warm/seed-1: it begins with the adapter of source/seed-1, which is not used")
            )
            try FileManager.default.removeItem(atPath: project.file("study/runs/source"))
            let again = try Program.run(Self.arguments(project))
            #expect(again.code == 78, "\(again)")
            #expect(again.error.contains("began with another adapter than source/seed-1 has now"), "\(again.error)")
            try FileManager.default.removeItem(atPath: project.file("study/runs/warm"))
            #expect(try Program.run(Self.arguments(project)).code == 0)
        }

        @Test(arguments: [
            ("set: {lora.rank: 2}", "whose adapter differs in rank; give both rows the same value"),
            ("set: {method: unolora}", "whose method is unolora, not unolora_star; give both rows one method"),
            ("set: {model: other}", "whose model is another"),
        ])
        func `an origin that does not fit is refused before anything runs`(set: String, reason: String) throws {
            let project = try Self.project(Self.study.replacing("[pair, grade]}", with: "[pair, grade], \(set)}"))
            try FileManager.default.copyItem(atPath: project.file("model"), toPath: project.file("other"))
            let start = "study.yaml:4: warm cannot begin from source, \(reason)"
            for arguments in [Self.arguments(project), ["study", "plan", "--config", project.file("study.yaml")]] {
                let result = try Program.run(arguments)
                #expect(result.code == 78 && result.sentences.count == 1, "\(result)")
                #expect(result.error.contains(start), "\(result.error)")
            }
            #expect(!FileManager.default.fileExists(atPath: project.file("study/runs")))
        }
    }
}
