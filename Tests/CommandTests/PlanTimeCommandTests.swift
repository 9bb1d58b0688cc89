import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// The times of `plan`, and what it asks SLURM for.
    @Suite struct PlanTimeCommandTests {
        private struct Report: Decodable {
            struct Time: Decodable {
                struct Part: Decodable {
                    var name: String
                    var count: Int
                    var seconds: Double
                    var processorSeconds: Double
                }

                var parts: [Part]
                var seconds: Double
                var processorSeconds: Double
                var coreHours: Double
                var isMeasured: Bool
                var hasTokenCache: Bool
                var savedSteps: Int

                func count(_ name: String) -> Int? { parts.first { $0.name == name }?.count }
            }

            struct Layout: Decodable {
                var ranks: Int
                var ranksPerNode: Int
                var threads: Int
            }

            var layout: Layout
            var time: Time
        }

        private static func settings(_ settings: [String]) -> [String] { settings.flatMap { ["--set", $0] } }

        private static func report(_ project: TinyProject, _ more: [String], ranks: Int? = nil) throws -> Report {
            let result = try Program.run(
                ["plan", "--config", project.configuration, "--json", "--out", project.file("run")] + more,
                ranks: ranks, environment: ["TMPDIR": project.file("")], directory: project.path)
            #expect(result.code == 0, "\(result.error)")
            return try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
        }

        private static func expectSums(_ report: Report) {
            let (time, layout) = (report.time, report.layout)
            #expect(Set(time.parts.map(\.name)) == ["start", "steps", "evaluations", "finalEvaluation", "checkpoints"])
            #expect(abs(time.parts.reduce(0) { $0 + $1.seconds } - time.seconds) < 1e-9 * time.seconds)
            let processor = time.parts.reduce(0) { $0 + $1.processorSeconds }
            #expect(abs(processor - time.processorSeconds) < 1e-9 * processor)
            let hours = time.seconds * Double(layout.ranks * layout.threads) / 3600
            #expect(abs(time.coreHours - hours) < 1e-9 * hours)
            #expect(time.parts.allSatisfy { ($0.count > 0) == ($0.seconds > 0) }, "\(time)")
        }

        @Test(arguments: [[], ["--measure"]]) func `the total is the sum of the parts`(flags: [String]) throws {
            let report = try Self.report(TinyProject(), flags + ["--ranks", "2"])
            Self.expectSums(report)
            #expect(report.time.isMeasured == !flags.isEmpty && report.layout.ranks == 2)
        }

        /// Every step that is evaluated is saved here.
        @Test(arguments: [
            [], ["eval.every=4"], ["eval.every=null"], ["eval.atEnd=false"], ["checkpoint.every=2", "eval.every=6"],
            ["eval.every=null", "eval.atEnd=false", "checkpoint.every=null"],
            ["eval.split=test", "checkpoint.every=1"],
        ])
        func `a run makes the evaluations and checkpoints that its plan counts`(settings: [String]) throws {
            let project = try TinyProject()
            let all = Self.settings(["checkpoint.keep=20"] + settings)
            let time = try Self.report(project, all).time
            let trained = try Program.run(project.train(all))
            #expect(trained.code == 0, "\(trained.error)")
            let metrics = try Outcome(run: project.file("run")).metrics
            #expect(time.count("evaluations") == metrics.count { $0.contains("\"kind\":\"evaluation\"") }, "\(metrics)")
            let files = try FileManager.default.contentsOfDirectory(atPath: project.file("run"))
            #expect((time.count("finalEvaluation") == 1) == files.contains { $0.hasPrefix("evaluation-") }, "\(files)")
            let saved = try FileManager.default.contentsOfDirectory(atPath: project.file("run/checkpoints"))
            #expect(time.savedSteps == saved.count { $0.hasPrefix("step-") }, "\(saved)")
        }

        @Test(arguments: [nil, 2]) func `measuring needs no token cache and leaves nothing behind`(ranks: Int?) throws {
            let project = try TinyProject()
            let before = try digests(below: project.path)
            let report = try Self.report(
                project, ["--measure"] + Self.settings(["checkpoint.snapshot=file"]), ranks: ranks)
            #expect(report.time.isMeasured && !report.time.hasTokenCache && report.layout.ranks == ranks ?? 1)
            Self.expectSums(report)
            #expect(try digests(below: project.path) == before)
            #expect(!FileManager.default.fileExists(atPath: project.file("run")))
        }

        @Test func `measuring uses a token cache that is there, and changes nothing of a run`() throws {
            let project = try TinyProject()
            #expect(try Program.run(project.train()).code == 0)
            let before = try digests(below: project.path)
            for flags in [[], ["--measure"]] {
                #expect(try Self.report(project, flags).time.hasTokenCache)
            }
            #expect(try digests(below: project.path) == before)
            #expect(try !Self.report(project, Self.settings(["data.maxSource=20"])).time.hasTokenCache)
        }

        /// Every method and granularity has its own parts in a step.
        @Test(arguments: [
            ["method=full"], ["method=hyperformer_pp", "hyperformer.reduction=8"], ["method=frozen"],
            ["method=lora_per_task"],
            ["sampler.granularity=microBatch"], ["sampler.granularity=batch", "train.steps=1", "lr.warmup=0"],
            ["train.conflict=pcgrad"], ["model.products=int8"], ["log.interferenceEvery=1", "batch.global=64"],
            ["eval.atEnd=false", "eval.every=null"],
        ])
        func `everything can be measured`(settings: [String]) throws {
            Self.expectSums(try Self.report(TinyProject(), ["--measure"] + Self.settings(settings)))
        }

        @Test func `what was measured and what not is said`() throws {
            let project = try TinyProject()
            let arguments = ["plan", "--config", project.configuration]
            let guess = try Program.run(arguments)
            #expect(guess.code == 0 && guess.output.contains("a guess (half to twice as long"), "\(guess)")
            let measured = try Program.run(arguments + ["--measure", "--ranks", "4"])
            #expect(measured.code == 0 && measured.output.contains("measured now on "), "\(measured)")
            #expect(measured.output.contains("without the sum over the ranks"), "\(measured.output)")
            #expect(!measured.output.contains("a guess"))
            let together = try Program.run(arguments + ["--measure"], ranks: 2)
            #expect(together.code == 0 && together.output.contains("with the sum over the ranks"), "\(together)")
            #expect(together.output.contains("2 rank(s) x 1 thread(s)"), "\(together.output)")
            let other = try Program.run(arguments + ["--measure", "--ranks", "3"], ranks: 2)
            #expect(other.code == 64 && other.error.contains("measures the 2 ranks"), "\(other)")
        }

        @Test func `the lines for sbatch can be pasted`() throws {
            let project = try TinyProject()
            let plan = try Program.run([
                "plan", "--config", project.configuration, "--ranks", "3", "--ranks-per-node", "2",
            ])
            #expect(plan.code == 0, "\(plan.error)")
            let block = try #require(plan.output.components(separatedBy: "\n\n").last)
            let lines = block.split(separator: "\n").map(String.init)
            #expect(lines.count == 7 && lines.allSatisfy { $0.hasPrefix("#") }, "\(block)")
            #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("#SBATCH --") })
            for line in ["--nodes=2", "--ntasks=3", "--ntasks-per-node=2", "--cpus-per-task=1"] {
                #expect(lines.contains("#SBATCH " + line), "\(block)")
            }
            #expect(block.contains(#/\n#SBATCH --mem=[1-9][0-9]*G\n/#), "\(block)")
            #expect(block.contains(#/\n#SBATCH --time=([0-9]+-)?[0-9]{2}:[0-9]{2}:00$/#.anchorsMatchLineEndings()))
        }

        @Test func `a study is measured too`() throws {
            let project = try TinyProject()
            try project.write(
                "study.yaml", "run: run.yaml\nthreads: 1\nrows: [{name: all}, {name: single, tasks: each}]\n")
            let arguments = ["study", "plan", "--config", project.file("study.yaml")]
            let before = try digests(below: project.path)
            for (flags, basis) in [([], "a guess: "), (["--measure"], "measured one run at a time")] {
                let plan = try Program.run(arguments + flags, environment: ["TMPDIR": project.path])
                #expect(plan.code == 0 && plan.output.contains(basis), "\(plan)")
                #expect(plan.output.contains(#/about [0-9]+\.[0-9]{2} hours on this machine/#), "\(plan.output)")
            }
            #expect(try digests(below: project.path) == before)
        }
    }
}
