import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// The memory that a run uses compared with the prediction of `plan`; and a run that does not get the memory.
    @Suite struct MemoryCommandTests {
        /// A model whose adapters are large compared with the process.
        private static let shared = Result {
            let project = try TinyProject()
            let made = try Program.run([
                "new-model", "--preset", "t5-mini", "--out", project.file("mini"), "--vocabulary",
                project.file("model/spiece.model"),
            ])
            #expect(made.code == 0, "\(made.error)")
            return project
        }

        private static let settings = [
            "parallel.gemm=openblas", "eval.every=2", "checkpoint.every=3", "train.steps=8", "eval.maxExamples=4",
            "eval.atEnd=false", "log.tensorBoard=false", "lr.warmup=0",
        ]

        private static func arguments(_ settings: [String]) -> [String] { settings.flatMap { ["--set", $0] } }

        /// Runs to the end; returns the largest private memory that was seen, in MiB.
        private static func measure(_ project: TinyProject, _ arguments: [String]) throws -> Double {
            let log = project.file("memory-\(UUID().uuidString)")
            let script = """
                "$@" & pid=$!
                while kill -0 $pid 2>/dev/null; do
                    grep -s RssAnon /proc/$pid/status >>\(log)
                    sleep 0.02
                done
                wait $pid
                """
            let result = try Program.run(command: ["sh", "-c", script, "sh", Program.path] + arguments)
            #expect(result.code == 0, "\(result.error)")
            let text = try String(contentsOfFile: log, encoding: .utf8)
            return (text.matches(of: #/(\d+) kB/#).compactMap { Double($0.1) }.max() ?? 0) / 1024
        }

        /// Scores need more than answers, since they have a row for each label.
        @Test(arguments: [[], ["--scores"]])
        func `predict takes no more than plan says`(options: [String]) throws {
            let project = try Self.shared.get().copy()
            let settings =
                Self.settings + [
                    "lora.rank=256", "model=\(project.file("mini"))", "train.steps=1", "eval.every=null",
                    "parallel.threads=2", "eval.batch=64",
                ]
            let all = ["--config", project.configuration] + Self.arguments(settings)
            let plan = try Program.run(["plan"] + all)
            #expect(plan.code == 0, "\(plan.error)")
            let match = try #require(
                plan.output.firstMatch(
                    of:
                        #/memory of predict +up to ([0-9.]+) MiB private a rank and ([0-9.]+) MiB for each of its workers, with --scores ([0-9.]+) MiB/#
                ))
            let rank = try #require(Double(match.1))
            let (answering, scoring) = (try #require(Double(match.2)), try #require(Double(match.3)))
            #expect(scoring > answering)
            let trained = try Program.run(["train", "--out", project.file("run")] + all)
            #expect(trained.code == 0, "\(trained.error)")
            let lines = try project.write("lines", PredictCommandTests.mixedLines(3000).joined(separator: "\n"))
            let taken = try Self.measure(
                project, ["predict", project.file("run"), "--checkpoint", "last", "--input", lines] + options)
            let most = rank + 2 * (options.isEmpty ? answering : scoring)
            // The plan counts with the longest texts that the model reads, and these are shorter.
            #expect(taken < most + 4 && taken > 0.1 * most, "\(taken) of at most \(most) MiB")
        }

        @Test(arguments: [
            ["method=unolora", "lora.rank=8"], ["method=unolora", "lora.rank=256"],
            ["method=unolora", "lora.rank=256", "log.interferenceEvery=50"],
            ["method=lora_per_task", "lora.rank=128"],
            ["method=lora_per_task", "lora.rank=128", "checkpoint.snapshot=file", "parallel.threads=2"],
        ])
        func `a run takes what plan says`(settings: [String]) throws {
            let project = try Self.shared.get().copy()
            let all = Self.arguments(Self.settings + settings + ["model=\(project.file("mini"))"])
            let plan = try Program.run(["plan", "--config", project.configuration] + all)
            #expect(plan.code == 0, "\(plan.error)")
            let match = try #require(
                plan.output.firstMatch(of: #/memory per rank +about ([0-9.]+) MiB private, up to ([0-9.]+) MiB/#))
            let (about, most) = (try #require(Double(match.1)), try #require(Double(match.2)))
            let taken = try Self.measure(
                project, ["train", "--config", project.configuration, "--out", project.file("run")] + all)
            #expect(taken < most + 4, "\(taken) of at most \(most) MiB")
            // A snapshot may or may not be written during the next steps: this is the largest difference apart from the heap.
            #expect(taken > 0.85 * about - 8 && taken < 1.05 * most, "\(taken), foretold \(about) to \(most) MiB")
        }

        /// One place from which all threads allocate. glibc gives a thread that meets another one there a place of its own, of 64 MiB of
        /// addresses, so that a busy machine would decide how many addresses a run takes.
        private static let oneArena = ["MALLOC_ARENA_MAX": "1"]

        /// The addresses that a training without evaluations uses, in KiB; removes its run.
        private static func addresses(of project: TinyProject) throws -> Int {
            let used = try Program.run(
                command: [
                    "sh", "-c",
                    "\"$@\" & pid=$!; sleep 0.01; while kill -0 $pid 2>/dev/null; do grep -s VmPeak "
                        + "/proc/$pid/status; sleep 0.01; done", "sh", Program.path,
                ] + project.train(arguments(["eval.every=null", "train.steps=300", "eval.atEnd=false"])),
                environment: oneArena)
            try FileManager.default.removeItem(atPath: project.file("run"))
            return try #require(used.output.matches(of: #/VmPeak:\s+(\d+) kB/#).compactMap { Int($0.1) }.max())
        }

        @Test func `memory that cannot be had ends the job with one sentence`() throws {
            let project = try TinyProject()
            // The limit on addresses suffices for a small batch, but not for one of thousands of examples.
            let grown = Self.arguments([
                "batch.global=4096", "batch.micro=4096", "eval.every=null", "eval.atEnd=false", "train.steps=3",
            ])
            let peak = try Self.addresses(of: project)
            let limit = peak + (64 << 10)
            let result = try Program.run(
                command: ["sh", "-c", "ulimit -v \(limit); exec \"$@\"", "sh", Program.path] + project.train(grown),
                environment: Self.oneArena)
            #expect(result.code == 71, "\(result)")
            #expect(result.sentences.count == 1, "\(result.error)")
            let sentence = "MiB of memory for activations cannot be allocated; ulimit -v allows"
            #expect(result.error.contains(sentence), "\(result.error)")
            #expect(result.output.contains("of addresses, and ulimit -v allows"), "\(result.output)")
            let status = try Status(run: project.file("run"))
            #expect(status.state == "failed" && status.exitCode == 71 && status.step == 0, "\(status)")
        }

        /// On a terminal, where the sentence must not be appended to the line of progress.
        @Test
        func `an evaluation that does not get its memory loses no step, and the run goes on with a smaller batch`()
            throws
        {
            let project = try TinyProject()
            let words = ["baran", "cesel", "ditim", "fovok", "guwun", "hazar", "likel"]
            // Different sentences of 24 words: the row in base 7.
            var rows = ""
            for row in 0..<4000 {
                var digits = row
                for _ in 0..<24 {
                    rows += words[digits % 7] + " "
                    digits /= 7
                }
                rows += row % 2 == 0 ? "end\tr\n" : "end\tb\n"
            }
            try project.write("colour/validation.tsv", "sentence\tlabel\n" + rows)
            let limit = try Self.addresses(of: project) + (160 << 10)
            func train(batch: Int) throws -> Program.Result {
                let settings = [
                    "eval.every=6", "eval.batch=\(batch)", "eval.maxExamples=null", "eval.atEnd=false",
                    "checkpoint.every=null", "log.every=1",
                ]
                let command = ([Program.path] + project.train(Self.arguments(settings))).map { "'\($0)'" }
                return try Program.run(
                    command: [
                        "script", "--quiet", "--return", "--command",
                        "stty cols 400; ulimit -v \(limit); exec \(command.joined(separator: " "))", "/dev/null",
                    ], environment: Self.oneArena)
            }
            let result = try train(batch: 4096)
            #expect(result.code == 71, "\(result)")
            let status = try Status(run: project.file("run"))
            #expect(status.state == "failed" && status.exitCode == 71, "\(status)")
            #expect(status.step == 6 && status.lastDurableStep == 6, "\(status)")
            #expect(result.output.contains("\rstep 1/12 "), "\(result.output)")
            let lines = result.output.replacing("\r\n", with: "\n").split(separator: "\n").map(String.init)
            let said = lines.filter { $0.hasPrefix("unolora-dist: ") }
            #expect(said.count == 1, "\(result.output)")
            let sentence = try #require(said.first?.dropFirst("unolora-dist: ".count))
            #expect(
                sentence.contains(
                    #/^[0-9.]+ MiB of memory for .* cannot be allocated; .* lower batch\.micro, eval\.batch/#))
            let log = try String(contentsOfFile: project.file("run/logs/rank-00000.log"), encoding: .utf8)
            #expect(log.contains("error exit code 71: \(sentence)\n"), "\(log)")
            let jobs = try String(contentsOfFile: project.file("run/jobs.jsonl"), encoding: .utf8)
            let end = try #require(jobs.split(separator: "\n").last)
            #expect(end.contains("\"exitCode\":71,") && end.contains("\"lastDurableStep\":6,"), "\(jobs)")
            #expect(end.contains("\"reason\":\"rank 0: \(sentence)\""), "\(jobs)")
            let smaller = try train(batch: 8)
            #expect(smaller.code == 0, "\(smaller.output)")
            #expect(smaller.output.contains(" at step 6\r\n"), "\(smaller.output)")
            #expect(try Status(run: project.file("run")).state == "finished")
        }

        @Test func `a rank above a layer's width is refused with the layer, unless the run goes on with it`() throws {
            let project = try TinyProject()
            let result = try Program.run(project.train(Self.arguments(["lora.rank=33"])))
            #expect(result.code == 78 && result.sentences.count == 1, "\(result)")
            let sentence = "lora.rank 33 is more than 32, the smaller side of encoder.block.0"
            #expect(result.error.contains(sentence), "\(result.error)")
            let plan = try Program.run(["plan", "--config", project.configuration] + Self.arguments(["lora.rank=33"]))
            #expect(plan.code == 78 && plan.error.contains("lora.rank 33"), "\(plan)")
        }

        @Test func `a short run of the embedded example is not refused for the example's warmup`() throws {
            let directory = try TemporaryDirectory()
            let result = try Program.run(
                ["--out", directory.file("run")] + Self.arguments(["train.steps=2", "eval.atEnd=false"]))
            #expect(result.code == 0, "\(result.error)")
            let sentence = "lr.warmup is 0, a tenth of train.steps 2, since the example's 60"
            #expect(result.output.contains(sentence), "\(result.output)")
        }

        @Test func `a short run of a configuration without warmup is not refused`() throws {
            let project = try TinyProject()
            try project.replace(", warmup: 2", by: "", in: "run.yaml")
            let result = try Program.run(project.train(Self.arguments(["train.steps=20"])))
            #expect(result.code == 0, "\(result.error)")
            #expect(result.output.contains("warning: lr.warmup is 2, a tenth of train.steps 20"), "\(result.output)")
            let resolved = try String(contentsOfFile: project.file("run/config.yaml"), encoding: .utf8)
            #expect(resolved.contains("  warmup: 2\n"))
            // The run continues with the original batch, and longer.
            #expect(try Program.run(project.train(Self.arguments(["train.steps=20"]))).code == 0)
            let longer = try Program.run(project.train(Self.arguments(["train.steps=30"])))
            #expect(longer.code != 0 && longer.error.contains("train.steps was 20 and is 30"), "\(longer)")
        }
    }
}
