import Foundation
import TestSupport
import Testing

/// The scripts in `launch`, with commands of a cluster that only record how they were called.
@Suite struct LaunchScriptTests {
    static let scripts =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/launch"

    /// A place for submitting jobs, with an `srun` that ends with `code` at `step`, and a `scontrol`.
    final class Cluster {
        let directory: TemporaryDirectory
        var path: String { directory.path }

        init(code: Int32, step: Int = 10) throws {
            directory = try TemporaryDirectory()
            try command(
                "bin/srun",
                """
                mkdir -p runs/unolora-77
                echo '  "lastDurableStep" : \(step),' > runs/unolora-77/STATUS.json
                echo srun "$@"
                echo "site: ${SITE-}"
                exit \(code)
                """)
            try command("bin/scontrol", "echo scontrol \"$@\"")
            // A real scontrol would never return the job.
            try command("bin/sleep", "")
            try directory.write("run.yaml", "")
            try FileManager.default.createSymbolicLink(
                atPath: directory.file("launch"), withDestinationPath: scripts)
        }

        func command(_ name: String, _ script: String) throws {
            let path = try directory.write(name, "#!/bin/sh\n\(script)\n")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }

        func submit(
            _ arguments: [String], to script: String = "train.sbatch", environment: [String: String] = [:]
        ) throws -> Program.Result {
            try Program.run(
                command: ["bash", scripts + "/" + script] + arguments,
                environment: environment.merging([
                    "PATH": directory.file("bin") + ":/usr/bin:/bin", "SLURM_SUBMIT_DIR": path,
                    "SLURM_JOB_NAME": "unolora", "SLURM_JOB_ID": "77", "SLURM_CPUS_PER_TASK": "8",
                ]) { given, _ in given }, directory: path)
        }
    }

    @Test func `a job starts the program of the project that the site's file names`() throws {
        let cluster = try Cluster(code: 0)
        try cluster.command("elsewhere/.build/release/unolora-dist", "")
        try cluster.directory.write(
            "cluster/site.env",
            """
            export SITE="$NOT_SET_ANYWHERE there"
            false
            export UNOLORA_PROJECT=\(cluster.path)/elsewhere
            """)
        let result = try cluster.submit(["run.yaml", "--set", "lora.rank=4"])
        #expect(result.code == 0, "\(result.error)")
        let program = cluster.path + "/elsewhere/.build/release/unolora-dist"
        #expect(
            result.output.contains(
                "srun --mpi=pmix --cpus-per-task=8 --wait=10 \(program) train --config run.yaml --out runs/unolora-77 "
                    + "--resume auto --set checkpoint.snapshot=file --set lora.rank=4\n"), "\(result.output)")
        #expect(result.output.contains("site:  there\n"))
        #expect(!result.output.contains("scontrol"))
    }

    @Test func `a job that was preempted keeps its code and says how to go on`() throws {
        let cluster = try Cluster(code: 85)
        try cluster.command(".build/release/unolora-dist", "")
        let result = try cluster.submit(["run.yaml"])
        #expect(result.code == 85, "\(result.error)")
        #expect(result.error.contains("UNOLORA_RUN=runs/unolora-77 sbatch launch/train.sbatch"), "\(result.error)")
        #expect(!result.output.contains("scontrol"))
    }

    /// 75 is also the code of a job that is queued again, although SLURM would have ended it.
    @Test(arguments: [(85, 10, 75), (143, 10, 75), (85, 0, 75), (70, 10, 70), (0, 10, 0)] as [(Int32, Int, Int32)])
    func `a long run queues itself again when it was preempted and has made progress`(
        code: Int32, step: Int, end: Int32
    ) throws {
        let cluster = try Cluster(code: code, step: step)
        try cluster.command(".build/release/unolora-dist", "")
        let result = try cluster.submit(["run.yaml"], to: "requeue.sbatch")
        #expect(result.code == end, "\(result.error)")
        #expect(result.output.contains("scontrol requeue 77\n") == ([85, 143].contains(code) && step > 0))
        #expect(result.error.contains("no progress") == (step == 0), "\(result.error)")
    }

    /// When all ranks of a job were killed, only its snapshot contains the last steps; the next start reads it.
    @Test(arguments: [true, false])
    func `a long run whose ranks were killed is queued again where a snapshot is left`(isLeft: Bool) throws {
        let cluster = try Cluster(code: 0)
        try cluster.command(".build/release/unolora-dist", "")
        try cluster.command(
            "bin/srun",
            """
            echo '  "state" : "running",' > runs/unolora-77/STATUS.json
            \(isLeft ? "echo x > runs/unolora-77/snapshot-0.bin" : "")
            exit 137
            """)
        let result = try cluster.submit(["run.yaml"], to: "requeue.sbatch")
        #expect(result.code == 75, "\(result.error)")
        #expect(result.output.contains("scontrol requeue 77\n") == isLeft)
        #expect(result.error.contains("no progress") != isLeft, "\(result.error)")
        #expect(try String(contentsOfFile: cluster.path + "/runs/unolora-77/starts.txt", encoding: .utf8) == "0 1\n")
    }

    /// `STATUS.json` of an earlier start says nothing about a refused one, but that of this start says more than its launcher.
    @Test(arguments: [false, true])
    func `the code of a start is its own`(isWritten: Bool) throws {
        let cluster = try Cluster(code: 0)
        try cluster.command(".build/release/unolora-dist", "")
        func status(_ code: Int, _ time: Int) -> String {
            "  \"exitCode\" : \(code),\n  \"lastDurableStep\" : 10,\n  \"reason\" : \"why \(code)\",\n  \"state\" : \"failed\",\n  \"time\" : \(time)\n"
        }
        try cluster.directory.write("runs/unolora-77/STATUS.json", status(75, 1))
        try cluster.directory.write("new.json", status(71, 2))
        try cluster.command("bin/srun", isWritten ? "cp new.json runs/unolora-77/STATUS.json; exit 1" : "exit 78")
        let result = try cluster.submit(["run.yaml"], to: "requeue.sbatch")
        #expect(result.code == (isWritten ? 71 : 78), "\(result)")
        #expect(!result.output.contains("scontrol requeue"))
        #expect(result.error.contains("so it is not queued again: \(isWritten ? "why 71" : "see the messages above")"))
    }

    @Test func `a long run is not started a fourth time from the same step`() throws {
        let cluster = try Cluster(code: 0)
        try cluster.command(".build/release/unolora-dist", "")
        try cluster.directory.write("runs/unolora-77/STATUS.json", "  \"lastDurableStep\" : 10,\n")
        try cluster.directory.write("runs/unolora-77/starts.txt", "10 3\n")
        let result = try cluster.submit(["run.yaml"], to: "requeue.sbatch")
        #expect(result.code == 75)
        #expect(result.error.contains("3 starts in a row"), "\(result.error)")
        #expect(!result.output.contains("srun"))
    }

    @Test func `a seed is the number of the task`() throws {
        let cluster = try Cluster(code: 0)
        try cluster.command(".build/release/unolora-dist", "")
        let result = try cluster.submit(
            ["run.yaml"], to: "array.sbatch",
            environment: ["SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "4"])
        #expect(result.code == 0, "\(result.error)")
        #expect(
            result.output.contains("/seed-4 --resume auto --set checkpoint.snapshot=file --set train.seed=4\n"),
            "\(result.output)")
    }

    @Test func `the tasks of an array share the directory of a study`() throws {
        let cluster = try Cluster(code: 85)
        try cluster.command(".build/release/unolora-dist", "")
        try cluster.directory.write("study.yaml", "")
        let result = try cluster.submit(
            ["study.yaml", "--set", "lora.rank=4"], to: "study.sbatch",
            environment: ["SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "2"])
        #expect(result.code == 85, "\(result.error)")
        #expect(
            result.output.contains(
                "unolora-dist study --config study.yaml --out runs/unolora-70 --set lora.rank=4\n"), "\(result.output)")
        #expect(result.error.contains("part 2 of the study is saved; UNOLORA_RUN=runs/unolora-70 sbatch"))
    }

    /// The scripts read the status where the program writes it.
    @Test(arguments: [["--out", "there"], ["--out=there"], ["--out", "first", "--out", "there"]])
    func `the directory that --out names is the run's in every line of a script`(out: [String]) throws {
        let cluster = try Cluster(code: 0)
        try cluster.command(".build/release/unolora-dist", "")
        try cluster.command(
            "bin/srun",
            "mkdir -p there; echo '  \"lastDurableStep\" : 10,' > there/STATUS.json; echo srun \"$@\"; exit 85")
        let arguments = ["run.yaml", "--set", "lora.rank=4"] + out
        let result = try cluster.submit(arguments, environment: ["UNOLORA_RUN": "elsewhere"])
        #expect(
            result.output.contains(
                "train --config run.yaml --out there --resume auto --set checkpoint.snapshot=file --set lora.rank=4\n"),
            "\(result.output)")
        #expect(
            result.error.contains("saved at step 10") && result.error.contains("UNOLORA_RUN=there sbatch"),
            "\(result.error)")
        let queued = try cluster.submit(arguments, to: "requeue.sbatch")
        #expect(queued.error.contains("no progress: there began at step 10"), "\(queued.error)")
        #expect(FileManager.default.fileExists(atPath: cluster.path + "/there/starts.txt"))
        let array = ["SLURM_ARRAY_JOB_ID": "70", "SLURM_ARRAY_TASK_ID": "4"]
        let seed = try cluster.submit(arguments, to: "array.sbatch", environment: array)
        #expect(
            seed.output.contains("--out there/seed-4 ") && seed.error.contains("UNOLORA_RUN=there sbatch"), "\(seed)")
        try cluster.directory.write("study.yaml", "")
        let study = try cluster.submit(["study.yaml"] + out, to: "study.sbatch", environment: array)
        #expect(study.output.contains("study --config study.yaml --out there\n"), "\(study)")
        #expect(!FileManager.default.fileExists(atPath: cluster.path + "/runs"))
    }

    @Test func `--out without a directory is refused`() throws {
        let cluster = try Cluster(code: 0)
        try cluster.command(".build/release/unolora-dist", "")
        for arguments in [["run.yaml", "--out"], ["run.yaml", "--out="]] {
            let result = try cluster.submit(arguments)
            #expect(result.code == 64 && result.error == "train.sbatch: --out needs a directory.\n", "\(result)")
        }
    }

    @Test func `the program of an archive comes before one that was built`() throws {
        let cluster = try Cluster(code: 0)
        try cluster.command(".build/release/unolora-dist", "")
        try cluster.command("bin/unolora-dist", "")
        let result = try cluster.submit(["run.yaml"])
        #expect(result.output.contains(" \(cluster.path)/bin/unolora-dist train --config run.yaml"), "\(result)")
    }

    @Test(arguments: [[], ["nowhere.yaml"], ["run.yaml"]])
    func `a job without configuration or program ends with 66 and says what is missing`(arguments: [String]) throws {
        let result = try Cluster(code: 0).submit(arguments)
        #expect(result.code == 66)
        #expect(result.error.hasPrefix("train.sbatch: "), "\(result.error)")
        #expect(result.output.isEmpty)
    }

    /// The variables of Open MPI 4 and those of Open MPI 5, which has another mpirun.
    @Test func `the environment for mpirun speaks to both versions and leaves what is set`() throws {
        let script = ". '\(Self.scripts)/mpi-environment.sh'; env"
        let fresh = try Program.run(
            command: ["env", "-i", "PATH=/usr/bin:/bin", "sh", "-euc", script]).output.split(separator: "\n")
        for line in [
            "OMPI_MCA_rmaps_base_oversubscribe=1", "PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe",
            "OMPI_MCA_hwloc_base_binding_policy=none", "PRTE_MCA_hwloc_default_binding_policy=none",
            "OMPI_MCA_odls_base_sigkill_timeout=3",
        ] {
            #expect(fresh.contains { $0 == line }, "\(line)")
        }
        #expect(fresh.contains("PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1") == (getuid() == 0))
        let kept = try Program.run(
            command: ["sh", "-euc", script], environment: ["PRTE_MCA_rmaps_default_mapping_policy": "ppr:2:node"])
        #expect(kept.output.contains("PRTE_MCA_rmaps_default_mapping_policy=ppr:2:node\n"))
    }

    /// mpirun's own default is one second.
    @Test func `mpirun that is told to stop leaves its ranks the time to save themselves`() throws {
        let directory = try TemporaryDirectory()
        let rank = try directory.write(
            "rank.sh",
            "trap 'sleep 1.3; echo saved > \(directory.path)/saved; exit 0' TERM\necho > \(directory.path)/begun\n"
                + "while :; do sleep 0.1; done\n")
        let running = try RunningProgram(command: [
            "sh", "-euc",
            ". '\(Self.scripts)/mpi-environment.sh'; echo $$ > '\(directory.path)/pid'; exec mpirun -n 1 sh '\(rank)'",
        ])
        running.wait { FileManager.default.fileExists(atPath: directory.file("begun")) }
        let text = try String(contentsOfFile: directory.file("pid"), encoding: .utf8)
        let launcher = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(launcher, SIGTERM) == 0)
        _ = try running.wait()
        #expect(FileManager.default.fileExists(atPath: directory.file("saved")))
    }

    /// A program in a process group of its own, as `timeout` makes one, does not get signals from the keyboard.
    @Test func `Ctrl-C reaches what the scripts run`() throws {
        let names = try FileManager.default.subpathsOfDirectory(atPath: Self.scripts).filter {
            $0.hasSuffix(".sh") || $0.hasSuffix(".sbatch")
        }
        #expect(names.contains("test.sh") && names.contains("benchmarks/compare.sh"))
        for name in names {
            let text = try String(contentsOfFile: Self.scripts + "/" + name, encoding: .utf8)
            for line in text.split(separator: "\n") where line.contains(#/^ *timeout /#) {
                #expect(line.contains("timeout --foreground "), "\(name): \(line)")
            }
        }
    }
}
