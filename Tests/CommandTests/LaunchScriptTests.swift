import Foundation
import TestSupport
import Testing

/// The scripts in `launch`, with commands of a cluster that only say how they were called.
@Suite struct LaunchScriptTests {
    private static let scripts =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/launch"

    /// A place from which jobs are submitted, with `srun` that ends with `code`, and `scontrol`.
    private final class Cluster {
        let directory: TemporaryDirectory
        var path: String { directory.path }

        init(code: Int32) throws {
            directory = try TemporaryDirectory()
            try command("bin/srun", "echo srun \"$@\"; echo \"site: ${SITE-}\"; exit \(code)")
            try command("bin/scontrol", "echo scontrol \"$@\"")
            try directory.write("run.yaml", "")
        }

        func command(_ name: String, _ script: String) throws {
            let path = try directory.write(name, "#!/bin/sh\n\(script)\n")
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }

        func submit(_ arguments: [String]) throws -> Program.Result {
            try Program.run(
                command: ["bash", scripts + "/train.sbatch"] + arguments,
                environment: [
                    "PATH": directory.file("bin") + ":/usr/bin:/bin", "SLURM_SUBMIT_DIR": path,
                    "SLURM_JOB_NAME": "unolora", "SLURM_JOB_ID": "77", "SLURM_CPUS_PER_TASK": "8",
                ], directory: path)
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
                "srun --mpi=pmix --cpus-per-task=8 \(program) train --config run.yaml --out runs/unolora-77 --resume auto "
                    + "--set lora.rank=4\n"), "\(result.output)")
        #expect(result.output.contains("site:  there\n"))
        #expect(!result.output.contains("scontrol"))
    }

    @Test(arguments: [85, 70] as [Int32])
    func `a job that was preempted is queued again, and its code stays`(code: Int32) throws {
        let cluster = try Cluster(code: code)
        try cluster.command(".build/release/unolora-dist", "")
        let result = try cluster.submit(["run.yaml"])
        #expect(result.code == code, "\(result.error)")
        #expect(result.output.contains("scontrol requeue 77\n") == (code == 85), "\(result.output)")
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
            "OMPI_MCA_odls_base_sigkill_timeout=5",
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
            "trap 'sleep 3; echo saved > \(directory.path)/saved; exit 0' TERM\necho > \(directory.path)/begun\n"
                + "while :; do sleep 0.1; done\n")
        let running = try RunningProgram(command: [
            "sh", "-euc",
            ". '\(Self.scripts)/mpi-environment.sh'; echo $$ > \(directory.path)/pid; exec mpirun -n 1 sh \(rank)",
        ])
        running.wait { FileManager.default.fileExists(atPath: directory.file("begun")) }
        let text = try String(contentsOfFile: directory.file("pid"), encoding: .utf8)
        let launcher = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(kill(launcher, SIGTERM) == 0)
        _ = try running.wait()
        #expect(FileManager.default.fileExists(atPath: directory.file("saved")))
    }

    /// A program that `timeout` puts into a group of its own does not get what the keyboard sends.
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
