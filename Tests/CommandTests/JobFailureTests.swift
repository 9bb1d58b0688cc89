import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// The effect of failures during a job, on the job and on its earlier checkpoints.
    @Suite struct JobFailureTests {
        private static let project = Swift.Result { try TinyProject() }

        /// A copy of the project with a checkpoint at step 6.
        private static func begun() throws -> TinyProject {
            let copy = try project.get().copy()
            let result = try Program.run(copy.train(["--stop-after", "6"]))
            #expect(result.code == 85, "\(result.error)")
            return copy
        }

        @Test func `a run directory below a file is refused`() throws {
            let project = try Self.project.get().copy()
            let result = try Program.run(
                ["train", "--config", "run.yaml", "--out", "run.yaml/run"], directory: project.path)
            #expect(result.code == 74)
            #expect(result.error.contains("run.yaml/run"))
            #expect(result.error.contains("cannot be created"))
            #expect(result.error.contains("--out"))
        }

        @Test(arguments: [nil, 2])
        func `a second job in a run directory is refused and does not disturb the first`(ranks: Int?) throws {
            let project = try Self.project.get().copy()
            let first = try RunningProgram(
                command: try project.tellingPids()
                    + project.train(["--set", "train.steps=100000", "--set", "log.every=1"]))
            first.wait { project.hasMetrics }
            let pid = try project.pid(rank: 0)
            let second = try Program.run(project.train(["--set", "train.steps=5"]), ranks: ranks)
            #expect(second.code == 74, "\(second.error)")
            #expect(second.sentences.count == 1, "\(second.error)")
            #expect(second.error.contains("is in use by process \(pid) on "), "\(second.error)")
            #expect(second.seconds < Program.promptly)
            #expect(try Status(run: project.file("run")).state == "running")
            #expect(kill(pid, SIGTERM) == 0)
            #expect(try first.wait().code == 143)
            #expect(try Status(run: project.file("run")).exitCode == 143)
        }

        @Test func `a limit on file size ends a run with 74 and leaves its checkpoint whole`() throws {
            let project = try Self.begun()
            let before = try digests(below: project.file("run/checkpoints"))
            let result = try Program.run(
                command: ["sh", "-c", "ulimit -f 32; exec \"$@\"", "sh", Program.path] + project.train(),
                // Open MPI's own files in shared memory are larger than the limit.
                environment: ["PMIX_MCA_gds": "hash"])
            #expect(result.code == 74, "\(result.code) \(result.error)")
            #expect(result.error.contains("ulimit -f"), "\(result.error)")
            let after = try digests(below: project.file("run/checkpoints"))
            #expect(before.allSatisfy { after[$0.key] == $0.value })
            let again = try Program.run(project.train())
            #expect(again.code == 0, "\(again.error)")
            #expect(again.output.contains("at step 6"))
        }

        /// Where this test cannot run, the test above covers the case.
        @Test(.enabled(if: SmallDisk.isAvailable, "mounting a small tmpfs needs root with the right to mount"))
        func `a full disk ends a run with 74 and names the remedy`() throws {
            let project = try Self.begun()
            let small = try SmallDisk(kilobytes: 64)
            let disk = small.path
            let result = try Program.run([
                "train", "--config", project.configuration, "--out", disk + "/run", "--set",
                "data.cache=\(project.file("run/cache"))",
            ])
            #expect(result.code == 74, "\(result.error)")
            #expect(result.error.contains(disk), "\(result.error)")
            #expect(result.error.contains("No space left on device"), "\(result.error)")
            #expect(result.error.contains("space or"), "\(result.error)")
            withExtendedLifetime(small) {}
        }

        @Test func `a damaged checkpoint is named and the one before it is used`() throws {
            let project = try Self.begun()
            let url = URL(fileURLWithPath: project.file("run/checkpoints/step-00000006/optimizer.safetensors"))
            try Data(contentsOf: url).dropLast(8).write(to: url)
            let result = try Program.run(project.train())
            #expect(result.code == 0, "\(result.error)")
            #expect(result.output.contains("refused"), "\(result.output)")
            #expect(result.output.contains("step-00000006"))
            #expect(result.output.contains("at step 4"), "\(result.output)")
        }

        @Test func `another configuration cannot go on with a run and leaves it as it was`() throws {
            let project = try Self.begun()
            let before = try digests(below: project.file("run"))
            let result = try Program.run(project.train(["--set", "lora.rank=8"]))
            #expect(result.code == 78, "\(result.error)")
            #expect(result.error.contains("lora.rank was 4 and is 8"), "\(result.error)")
            #expect(result.error.contains("--resume never"))
            // This includes STATUS.json: the run is unchanged.
            #expect(try digests(below: project.file("run")) == before)
        }

        @Test(arguments: [("config.json", "\"dropout_rate\" : 0.1", "\"dropout_rate\" : 0.2")])
        func `another model cannot go on with a run`(file: String, old: String, new: String) throws {
            let project = try Self.begun()
            try project.replace(old, by: new, in: "model/" + file)
            let result = try Program.run(project.train())
            #expect(result.code == 78, "\(result.error)")
            #expect(result.error.contains("the model (its config.json or weights) differs"), "\(result.error)")
            #expect(try Status(run: project.file("run")).state == "preempted")
        }

        @Test func `a start that is refused leaves a finished run finished`() throws {
            let project = try Self.project.get().copy()
            #expect(try Program.run(project.train()).code == 0)
            let before = try digests(below: project.file("run"))
            let result = try Program.run(project.train(["--resume", "never"]))
            #expect(result.code == 64, "\(result.error)")
            #expect(try digests(below: project.file("run")) == before)
            #expect(try Status(run: project.file("run")).state == "finished")
        }

        @Test(arguments: [nil, 2])
        func `a loss that is not finite ends the job with 86 and leaves the last checkpoint`(ranks: Int?) throws {
            let project = try Self.project.get().copy()
            let arguments = project.train([
                "--set", "lr.peak=1e30", "--set", "lr.warmup=0", "--set", "checkpoint.every=1",
            ])
            let result = try Program.run(arguments, ranks: ranks)
            #expect(result.code == 86, "\(result.error)")
            // The first update makes the weights useless for the second step.
            #expect(result.error.contains("step 2: the loss or a gradient is not finite"), "\(result.error)")
            #expect(result.error.contains("lr.peak"))
            #expect(try Status(run: project.file("run")).state == "failed")
            let before = try digests(below: project.file("run/checkpoints"))
            #expect(try Program.run(arguments, ranks: ranks).code == 86)
            #expect(try digests(below: project.file("run/checkpoints")) == before)
        }

        @Test func `steps that are not finite are left out alike on all ranks, counted, and not for ever`() throws {
            let original = try Self.project.get()
            let arguments = [
                "--set", "lr.peak=1e30", "--set", "lr.warmup=0", "--set", "train.onNonFinite=skip", "--set",
                "eval.every=null", "--set", "eval.atEnd=false", "--set", "log.every=2",
            ]
            var outcomes: [Outcome] = []
            for ranks in [nil, 3] {
                let project = try original.copy()
                let result = try Program.run(project.train(arguments), ranks: ranks)
                #expect(result.code == 0, "\(result.error)")
                #expect(result.output.contains("step 3: skipped, since the loss or a gradient is not finite"))
                let logs = try FileManager.default.contentsOfDirectory(atPath: project.file("run/logs")).map {
                    try String(contentsOfFile: project.file("run/logs/" + $0), encoding: .utf8)
                }
                #expect(logs.contains { $0.contains("in a micro-batch of ") })
                outcomes.append(try Outcome(run: project.file("run")))
            }
            #expect(outcomes[0] == outcomes[1])
            // The first update makes every later step fail.
            #expect(outcomes[0].metrics[0].contains("\"skippedSteps\":1,"), "\(outcomes[0].metrics[0])")
            #expect(outcomes[0].metrics.dropFirst().allSatisfy { $0.contains("\"skippedSteps\":2,") })
            let project = try original.copy()
            let endless = try Program.run(project.train(arguments + ["--set", "train.steps=40"]), ranks: 2)
            #expect(endless.code == 86, "\(endless.error)")
            #expect(endless.error.contains("as in the 24 steps before"))
            #expect(try Status(run: project.file("run")).step == 25)
        }

        @Test(arguments: [
            ["OMPI_COMM_WORLD_SIZE": "2"], ["PMI_SIZE": "2"], ["MV2_COMM_WORLD_SIZE": "2"],
            ["SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0"],
        ])
        func `processes that were started together but are alone are refused`(variables: [String: String]) throws {
            let project = try Self.project.get().copy()
            let result = try Program.run(project.train(), environment: variables)
            #expect(result.code == 64, "\(result.error)")
            #expect(result.error.contains("2 processes were started together"), "\(result.error)")
            #expect(result.error.contains("use "))
            #expect(!FileManager.default.fileExists(atPath: project.file("run")))
        }

        @Test(arguments: [
            ("train.seed=2", "train.seed was 1 and is 2"), ("eval.batch=3", "eval.batch was 16 and is 3"),
            ("eval.every=5", "eval.every was 8 and is 5"),
        ])
        func `a rank with another configuration ends the job with 87`(override: String, says: String) throws {
            let project = try Self.project.get().copy()
            let command = try project.perRank(
                "set=; [ $rank = 1 ] && set=--set=\(override); exec \"$@\" $set\n")
            let result = try Program.run(command: command + project.train(), ranks: 2)
            #expect(result.code == 87, "\(result.error)")
            #expect(
                result.error.contains("rank 1 has another configuration than rank 0 (\(says))"), "\(result.error)")
            #expect(result.seconds < Program.promptly)
        }

        @Test func `ranks with other BLAS kernels end the job with 87`() throws {
            let project = try Self.project.get().copy()
            let command = try project.perRank(
                """
                export OPENBLAS_CORETYPE=Haswell
                [ $rank = 1 ] && export OPENBLAS_CORETYPE=Prescott
                exec "$@"

                """)
            let result = try Program.run(command: command + project.train(), ranks: 2)
            #expect(result.code == 87, "\(result.error)")
            #expect(
                result.error.contains(
                    "rank 1 has another choice of BLAS kernels than rank 0 (Prescott and Haswell), so the result would "
                        + "depend on who computes what; set OPENBLAS_CORETYPE to kernels that all nodes have"),
                "\(result.error)")
            #expect(!FileManager.default.fileExists(atPath: project.file("run/cache")))
        }

        /// Both ranks are on one node, where only one of them needs to read the weights if both open the same files.
        @Test(arguments: [
            ("sed -i 's/\"dropout_rate\" : 0.1/\"dropout_rate\" : 0.2/' MODEL/config.json", Int32(87)),
            ("printf '\\001' | dd of=MODEL/model.safetensors bs=1 seek=9000 conv=notrunc 2> /dev/null", 87),
            ("true", 0),
        ])
        func `a rank with another model ends the job with 87, one with a copy does not`(
            change: String, code: Int32
        ) throws {
            let project = try Self.project.get().copy()
            try FileManager.default.copyItem(atPath: project.file("model"), toPath: project.file("other"))
            let command = try project.perRank(
                """
                set=
                if [ $rank = 1 ]; then
                    \(change.replacing("MODEL", with: project.file("other")))
                    set=--set=model=\(project.file("other"))
                fi
                exec "$@" $set

                """)
            let result = try Program.run(command: command + project.train(), ranks: 2)
            #expect(result.code == code, "\(result.error)")
            if code != 0 { #expect(result.error.contains("rank 1 has another model than rank 0"), "\(result.error)") }
            #expect(result.seconds < Program.promptly)
        }

        @Test func `a rank that fails alone ends the job with its message and code`() throws {
            let project = try Self.project.get().copy()
            let command = try project.perRank(
                "rankfile=; [ $rank = 1 ] && rankfile=--set=model=/nowhere; exec \"$@\" $rankfile\n")
            let result = try Program.run(command: command + project.train(), ranks: 2)
            #expect(result.code == 66, "\(result.error)")
            #expect(
                result.sentences.contains { $0.contains("rank 1 on ") && $0.contains("/nowhere") }, "\(result.error)")
            #expect(result.seconds < Program.promptly)
        }

        @Test func `a rank that is killed ends the job`() throws {
            let project = try Self.project.get().copy()
            let command = try project.tellingPids()
            let arguments = project.train(["--set", "train.steps=100000", "--set", "log.every=1"])
            let running = try RunningProgram(command: command + arguments, ranks: 2)
            running.wait { project.hasMetrics }
            let killed = ContinuousClock.now
            #expect(kill(try project.pid(rank: 1), SIGKILL) == 0)
            let result = try running.wait()
            #expect(killed.duration(to: .now) < .seconds(Program.promptly))
            #expect(result.code != 0)
        }
    }
}
