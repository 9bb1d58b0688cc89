import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// `study`: many small runs of the program.
    @Suite struct StudyCommandTests {
        private static let study = """
            run: run.yaml
            set: {train.steps: 600, eval.every: 300, checkpoint.every: 300, dropout: 0, log.tensorBoard: false}
            rows:
              - {name: shared, set: {method: unolora}}
              - {name: star, set: {method: unolora_star}}
            seeds: [1, 2]
            reference: shared
            parallel: 2
            """

        private static func arguments(_ project: TinyProject, _ more: [String] = []) -> [String] {
            ["study", "--config", project.file("study.yaml"), "--out", project.file("study")] + more
        }

        /// The table without what depends on the machine.
        private static func figures(_ project: TinyProject) throws -> [String] {
            let machine = [",examplesPerSecond,", ",peakMemory,"]
            return try String(contentsOfFile: project.file("study/table.csv"), encoding: .utf8).split(separator: "\n")
                .map(String.init).filter { line in !machine.contains { line.contains($0) } }
        }

        private static func table(_ project: TinyProject, _ ending: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: project.file("study/table.\(ending)")))
        }

        @Test func `a study that was killed and continued has the table of one that was not`() throws {
            let whole = try TinyProject()
            try whole.write("study.yaml", Self.study)
            let killed = try whole.copy()
            let plain = try Program.run(Self.arguments(whole))
            #expect(plain.code == 0, "\(plain)")
            #expect(plain.output.contains("[4/4] star/seed-2: finished"), "\(plain.output)")
            #expect(plain.output.contains("| shared | 2 ") && plain.output.contains("| star | shared "))

            // Its runs end too, but not before they have saved their last step.
            let running = try RunningProgram(
                command: ["sh", "-c", "echo $$ > '\(killed.path)/pid'; exec \"$@\"", "sh", Program.path]
                    + Self.arguments(killed, ["--set", "log.every=1"]))
            let log = killed.file("study/runs/shared/seed-1/metrics.jsonl")
            running.wait { (FileManager.default.contents(atPath: log) ?? Data()).count > 400 }
            let text = try String(contentsOfFile: killed.file("pid"), encoding: .utf8)
            let pid = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(kill(pid, SIGKILL) == 0)
            _ = try running.wait()
            #expect(!FileManager.default.fileExists(atPath: killed.file("study/table.md")))
            let next = try Program.run(Self.arguments(killed, ["--set", "log.every=1"]))
            #expect(next.code == 0, "\(next)")
            #expect(try Self.figures(killed) == Self.figures(whole))
            let output = try String(contentsOfFile: killed.file("study/logs/shared/seed-1.txt"), encoding: .utf8)
            #expect(output.contains("resuming from "), "\(output)")

            // Nothing is left to do, and the same runs give the same bytes.
            let endings = ["json", "csv", "md", "tex"]
            let before = try endings.map { try Self.table(killed, $0) }
            let again = try Program.run(Self.arguments(killed, ["--set", "log.every=1"]))
            #expect(again.code == 0 && again.output.contains("4 of 4 runs were finished before"), "\(again)")
            #expect(try endings.map { try Self.table(killed, $0) } == before)
        }

        @Test func `the page has the adapters of the first seed, or why there are none`() throws {
            let project = try TinyProject()
            try project.write(
                "study.yaml",
                """
                run: run.yaml
                set: {train.steps: 12}
                rows:
                  - {name: star}
                  - {name: each, tasks: each, set: {method: unolora}}
                  - {name: nothing, set: {method: frozen}}
                  - {name: bad, set: {lr.peak: 1e30, optim.clip: null}}
                seeds: [1, 2]
                """)
            #expect(try Program.run(Self.arguments(project)).code == 86)
            func page() throws -> String {
                try String(contentsOfFile: project.file("study/report.html"), encoding: .utf8)
            }
            let whole = try page()
            for id in ["spectra-star", "scales-star", "spectra-each-task-colour", "effective-rank-each-task-colour"] {
                #expect(whole.contains("<figure id=\"\(id)\""), "\(id)")
            }
            #expect(!whole.contains("<figure id=\"spectra-each-task-pair\""))
            #expect(whole.contains("Not here: bad: ") && whole.contains("trains nothing that could be analysed"))
            // A run without its checkpoints has its results, but no adapter.
            try FileManager.default.removeItem(atPath: project.file("study/runs/star/seed-1/checkpoints"))
            #expect(try Program.run(Self.arguments(project)).code == 86)
            let without = try page()
            #expect(without.contains("Not here: star: ") && !without.contains("<figure id=\"spectra-star\""))
            #expect(without.contains("<figure id=\"spectra-each-task-colour\""))
        }

        @Test func `a run that fails is a cell that says why, and the others go on`() throws {
            let project = try TinyProject()
            try project.write(
                "study.yaml",
                """
                run: run.yaml
                set: {train.steps: 4}
                rows:
                  - {name: good, tasks: [colour]}
                  - {name: bad, set: {lr.peak: 1e30, optim.clip: null}}
                reference: good
                """)
            let result = try Program.run(Self.arguments(project))
            #expect(result.code == 86, "\(result)")
            let table = String(decoding: try Self.table(project, "md"), as: UTF8.self)
            #expect(table.contains("| good | 1 ") && table.contains("| bad  | 0 of 1 "), "\(table)")
            #expect(table.contains("- Missing: bad/seed-1: ") && table.contains("not finite"), "\(table)")
        }

        @Test func `SIGUSR1 stops a study after a step of each run, with 85`() throws {
            let project = try TinyProject()
            try project.write("study.yaml", Self.study.replacing("steps: 600,", with: "steps: 100000,"))
            let running = try RunningProgram(
                command: ["sh", "-c", "echo $$ > '\(project.path)/pid'; exec \"$@\"", "sh", Program.path]
                    + Self.arguments(project, ["--set", "log.every=1", "--set", "eval.every=null"]))
            for seed in 1...2 {
                let log = project.file("study/runs/shared/seed-\(seed)/metrics.jsonl")
                running.wait { FileManager.default.contents(atPath: log)?.isEmpty == false }
            }
            let text = try String(contentsOfFile: project.file("pid"), encoding: .utf8)
            let pid = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
            #expect(kill(pid, SIGUSR1) == 0)
            let result = try running.wait()
            #expect(result.code == 85, "\(result)")
            for seed in 1...2 {
                let status = try Status(run: project.file("study/runs/shared/seed-\(seed)"))
                #expect(status.state == "preempted" && status.lastDurableStep == status.step, "\(status)")
            }
            #expect(!FileManager.default.fileExists(atPath: project.file("study/table.md")))
        }

        /// Two tasks of an array make the runs of one study; the first one that has nothing left to do leaves nothing to the other.
        @Test func `an array shares a study, and so do ranks`() throws {
            let project = try TinyProject()
            try project.write("study.yaml", Self.study)
            func part(_ project: TinyProject, _ task: Int) throws -> RunningProgram {
                try RunningProgram(
                    command: [Program.path] + Self.arguments(project, ["--set", "train.steps=3"]),
                    environment: [
                        "SLURM_ARRAY_TASK_ID": "\(task)", "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_COUNT": "2",
                    ])
            }
            let first = try part(project, 0).wait()
            #expect(first.code == 0 && first.output.contains("| shared | 2 "), "\(first)")
            #expect(first.output.contains("taken over from another process of the study"), "\(first)")
            let second = try part(project, 1).wait()
            #expect(second.code == 0 && second.output.contains("2 of 2 runs were finished before"), "\(second)")
            let others = try (0..<2).map { _ in
                let copy = try project.copy()
                try FileManager.default.removeItem(atPath: copy.file("study"))
                return copy
            }
            for running in try [0, 1].map({ try part(others[0], $0) }) {
                let result = try running.wait()
                #expect(result.code == 0, "\(result)")
            }
            #expect(try Self.figures(others[0]) == Self.figures(project))
            let shared = try Program.run(Self.arguments(others[1], ["--set", "train.steps=3"]), ranks: 2)
            #expect(shared.code == 0 && shared.output.contains("| shared | 2 "), "\(shared)")
            let lines = shared.output.split(separator: "\n")
            for start in ["rank 0: [1/4]", "rank 1: [2/4]"] {
                #expect(lines.contains { $0.hasPrefix(start) }, "\(shared)")
            }
            #expect(try Self.figures(others[1]) == Self.figures(project))
        }

        /// A run directory that another job holds is not finished yet, which is no failure.
        @Test func `a run that another job holds goes on elsewhere`() throws {
            let project = try TinyProject()
            try project.write("study.yaml", Self.study)
            let run = project.file("study/runs/shared/seed-1")
            let other = try RunningProgram(
                command: ["sh", "-c", "echo $$ > '\(project.path)/pid'; exec \"$@\"", "sh", Program.path]
                    + [
                        "train", "--config", project.configuration, "--out", run, "--set", "train.steps=100000",
                        "--set",
                        "eval.every=null", "--set", "log.every=1",
                    ])
            other.wait { FileManager.default.contents(atPath: run + "/metrics.jsonl")?.isEmpty == false }
            let arguments = Self.arguments(project, ["--set", "train.steps=3", "--wait", "1"])
            let result = try Program.run(arguments)
            #expect(result.code == 85 && result.sentences.isEmpty, "\(result)")
            #expect(result.output.contains("] shared/seed-1: left to the job that holds it"), "\(result.output)")
            let table = String(decoding: try Self.table(project, "md"), as: UTF8.self)
            #expect(table.contains("| shared | 1 of 2 ") && table.contains("| star   | 2 "), "\(table)")
            #expect(table.contains("- Missing: shared/seed-1: running elsewhere"), "\(table)")
            #expect(
                String(decoding: try Self.table(project, "json"), as: UTF8.self).contains("\"runsElsewhere\" : true"))
            // The other tasks of an array are expected to be at work.
            let part = try Program.run(
                arguments,
                environment: [
                    "SLURM_ARRAY_TASK_ID": "1", "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_COUNT": "2",
                ])
            #expect(part.code == 0 && part.output.contains("running elsewhere"), "\(part)")
            let text = try String(contentsOfFile: project.file("pid"), encoding: .utf8)
            #expect(kill(try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))), SIGTERM) == 0)
            #expect(try other.wait().code == 143)
        }

        /// With half a million test examples the resamples take minutes.
        @Test func `SIGTERM ends a study that computes its table`() throws {
            let project = try TinyProject()
            try project.write("study.yaml", Self.study)
            let arguments = Self.arguments(project, ["--set", "train.steps=3"])
            #expect(try Program.run(arguments).code == 0)
            let before = try Self.table(project, "md")
            for run in ["shared/seed-1", "shared/seed-2", "star/seed-1", "star/seed-2"] {
                let file = project.file("study/runs/\(run)/answers-test.json")
                let data = try Data(contentsOf: URL(fileURLWithPath: file))
                var answers = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
                var tasks = try #require(answers["tasks"] as? [String: [String: Any]])
                for (name, task) in tasks {
                    for key in ["gold", "answers"] {
                        let numbers = try #require(task[key] as? [Int])
                        tasks[name]?[key] = (0..<500_000).map { numbers[$0 % numbers.count] }
                    }
                }
                answers["tasks"] = tasks
                try JSONSerialization.data(withJSONObject: answers).write(to: URL(fileURLWithPath: file))
            }
            let output = try project.write("out", "")
            let running = try RunningProgram(
                command: ["sh", "-c", "echo $$ > '\(project.path)/pid'; exec \"$@\"", "sh", Program.path] + arguments,
                output: FileHandle(forWritingAtPath: output))
            running.wait { (try? String(contentsOfFile: output, encoding: .utf8))?.contains("finished before") == true }
            sleep(3)
            let text = try String(contentsOfFile: project.file("pid"), encoding: .utf8)
            let begun = ContinuousClock.now
            #expect(kill(try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))), SIGTERM) == 0)
            let result = try running.wait()
            #expect(result.code == 143 && begun.duration(to: .now) < .seconds(20), "\(result)")
            let said = try String(contentsOfFile: output, encoding: .utf8)
            #expect(said.contains("stopped before the table and its page were written"), "\(said)")
            #expect(try Self.table(project, "md") == before)
        }

        @Test func `a row with frozen parts counts what it trains`() throws {
            let project = try TinyProject()
            try project.write(
                "study.yaml",
                """
                run: run.yaml
                set: {train.steps: 2, method: unolora}
                rows:
                  - {name: whole}
                  - {name: half, set: {lora.freezeA: true}}
                reference: whole
                """)
            let result = try Program.run(Self.arguments(project))
            #expect(result.code == 0, "\(result)")
            struct Table: Decodable {
                struct Line: Decodable {
                    struct Cost: Decodable { var trainable: Int }
                    var row: String
                    var cost: Cost
                }
                var lines: [Line]
            }
            let lines = try JSONDecoder().decode(Table.self, from: Self.table(project, "json")).lines
            // 12 projections of 32 x 32 with rank 4.
            #expect(lines.map(\.row) == ["whole", "half"])
            #expect(lines.map(\.cost.trainable) == [12 * 256, 12 * 128])
        }

        @Test func `finished runs that were made from other files are named and not used`() throws {
            let project = try TinyProject()
            try project.write("study.yaml", Self.study)
            let arguments = Self.arguments(project, ["--set", "train.steps=3"])
            #expect(try Program.run(arguments).code == 0)
            let before = try Self.figures(project)
            for (file, old, new, difference) in [
                ("colour/test.tsv", "\tr\n", "\tb\n", "task colour: its test file test.tsv has other content"),
                ("model/config.json", "1e-06", "1e-05", "the model (its config.json or weights) differs"),
            ] {
                let text = try String(contentsOfFile: project.file(file), encoding: .utf8)
                try project.replace(old, by: new, in: file)
                let changed = try Program.run(arguments)
                #expect(changed.code == 78, "\(changed)")
                #expect(changed.error.contains("was made from other files than there are now"), "\(changed.error)")
                let table = String(decoding: try Self.table(project, "md"), as: UTF8.self)
                #expect(table.contains("| star   | 0 of 2 ") && table.contains(difference), "\(table)")
                try project.write(file, text)
                #expect(try Program.run(arguments).code == 0)
                #expect(try Self.figures(project) == before)
            }
        }

        @Test func `a plan says runs, hours and disk, and a mistake ends a study before anything runs`() throws {
            let project = try TinyProject()
            try project.write("study.yaml", Self.study + "\nthreads: 1\n")
            let plan = try Program.run(["study", "plan", "--config", project.file("study.yaml")])
            #expect(plan.code == 0 && plan.output.contains("4 runs, 2 at once with 1 thread(s) each"), "\(plan)")
            let wrong = try Program.run(Self.arguments(project, ["--set", "lora.rnk=4"]))
            #expect(wrong.code == 78 && wrong.sentences.count == 1, "\(wrong)")
            #expect(!FileManager.default.fileExists(atPath: project.file("study/runs")))
        }
    }
}
