import Failures
import Testing

@testable import MPI

@Suite struct LaunchEnvironmentTests {
    /// The refusal of a process whose MPI sees it alone; nil if it is accepted.
    private func refusal(_ environment: [String: String], family: MPIFamily = .openMPI) -> Failure? {
        do throws(Failure) {
            let launch = LaunchEnvironment(environment, family: family)
            try launch.checkBeforeStart()
            try launch.check(worldSize: 1)
            return nil
        } catch {
            return error
        }
    }

    /// The variables that srun sets for the tasks of a step.
    private let task = [
        "SLURM_JOB_ID": "17", "SLURM_NTASKS": "8", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "8",
        "SLURM_PROCID": "3",
    ]

    /// The variables in a batch script: the allocation's number of tasks, and no step.
    private let batch = ["SLURM_JOB_ID": "17", "SLURM_NTASKS": "8", "SLURM_NPROCS": "8", "SLURM_PROCID": "0"]

    @Test func `a program alone, in a shell or in a batch script, is not refused`() {
        #expect(refusal([:]) == nil)
        #expect(refusal(batch) == nil)
        #expect(refusal(batch.merging(["SLURM_STEP_ID": "4294967291"]) { $1 }) == nil)
    }

    @Test func `an interactive step of one task is not refused`() {
        let step = ["SLURM_STEP_ID": "4294967290", "SLURM_STEP_NUM_TASKS": "1"]
        #expect(refusal(batch.merging(step) { $1 }) == nil)
    }

    @Test func `one rank under any launcher is not refused`() {
        #expect(refusal(["OMPI_COMM_WORLD_SIZE": "1", "PMIX_RANK": "0"]) == nil)
        #expect(refusal(["PMI_SIZE": "1", "PMI_RANK": "0"]) == nil)
        #expect(refusal(task.merging(["SLURM_STEP_NUM_TASKS": "1", "SLURM_PROCID": "0"]) { $1 }) == nil)
    }

    @Test func `mpirun of one rank on a node where srun started mpirun's daemons is not refused`() {
        #expect(refusal(task.merging(["OMPI_COMM_WORLD_SIZE": "1"]) { $1 }) == nil)
    }

    @Test func `a job that MPI sees whole is never refused`() throws {
        for environment in [task, ["PMI_SIZE": "8"], ["OMPI_COMM_WORLD_SIZE": "8"], ["PMIX_RANK": "5"]] {
            for family in [MPIFamily.openMPI, .mpich, .other] {
                try LaunchEnvironment(environment, family: family).check(worldSize: 8)
            }
        }
    }

    @Test(
        arguments: [
            (
                .openMPI, "OMPI_COMM_WORLD_SIZE",
                "use the mpirun of the Open MPI installation that this program is linked to"
            ),
            (.openMPI, "PMI_SIZE", "use the mpirun of Open MPI instead (mpirun --version tells), or srun --mpi=pmix"),
            (
                .openMPI, "MV2_COMM_WORLD_SIZE",
                "use the mpirun of Open MPI instead (mpirun --version tells), or srun --mpi=pmix"
            ),
            (
                .mpich, "OMPI_COMM_WORLD_SIZE",
                "use the mpirun of MPICH instead (mpirun --version tells), or srun --mpi=pmi2"
            ),
            (.mpich, "PMI_SIZE", "use the mpirun of the MPI installation that this program is linked to"),
            (.mpich, "MV2_COMM_WORLD_SIZE", "use the mpirun of the MPI installation that this program is linked to"),
            (
                .other, "PMI_SIZE",
                "use the mpirun of the MPI library that this program is linked to instead (mpirun --version tells), or srun "
                    + "--mpi=pmix"
            ),
        ] as [(MPIFamily, String, String)])
    func `singletons of another MPI's mpirun are refused with the variable and the remedy`(
        family: MPIFamily, variable: String, remedy: String
    ) throws {
        let failure = try #require(refusal([variable: "4"], family: family))
        #expect(failure.code == .usage)
        #expect(
            failure.message
                == "4 processes were started together (\(variable)=4) but MPI sees each of them alone; \(remedy)")
    }

    @Test func `tasks of srun without a process manager are refused before MPI starts`() throws {
        let launch = LaunchEnvironment(task, family: .openMPI)
        let failure = try #require(throws: Failure.self) { try launch.checkBeforeStart() }
        #expect(failure.code == .usage)
        #expect(failure.message.contains("SLURM_STEP_NUM_TASKS=8"))
        #expect(failure.message.contains("srun --mpi=pmix"))
    }

    /// An MPICH that is built for SLURM's own PMI library needs no variable.
    @Test func `tasks of srun are left to MPICH first`() throws {
        try LaunchEnvironment(task, family: .mpich).checkBeforeStart()
        let failure = try #require(refusal(task, family: .mpich))
        #expect(failure.message.contains("SLURM_STEP_NUM_TASKS=8"))
        #expect(failure.message.contains("srun --mpi=pmi2"))
    }

    @Test func `tasks of srun with a process manager are left to MPI first`() throws {
        let pmix = task.merging(["PMIX_RANK": "3", "PMIX_NAMESPACE": "slurm.pmix.17.0"]) { $1 }
        try LaunchEnvironment(pmix, family: .openMPI).checkBeforeStart()
        #expect(refusal(pmix)?.message.contains("SLURM_STEP_NUM_TASKS=8") == true)
    }

    @Test(
        arguments: [
            (.openMPI, "PMIX_RANK", "the mpirun of Open MPI, or with srun --mpi=pmix"),
            (.mpich, "PMI_RANK", "the mpirun of MPICH, or with srun --mpi=pmi2"),
        ] as [(MPIFamily, String, String)])
    func `a rank above 0 that MPI sees alone is refused without a size`(
        family: MPIFamily, variable: String, remedy: String
    ) throws {
        let failure = try #require(refusal([variable: "2"], family: family))
        #expect(failure.code == .usage)
        #expect(
            failure.message
                == "this process is number 2 of its job (\(variable)=2) but MPI sees it alone; start it with \(remedy)")
    }

    @Test func `the processes of a launcher of the library's own family know each other`() {
        func isShared(_ environment: [String: String], _ family: MPIFamily) -> Bool {
            LaunchEnvironment(environment, family: family).isSharedByOwnLauncher
        }
        #expect(isShared(["OMPI_COMM_WORLD_SIZE": "2"], .openMPI) && !isShared(["OMPI_COMM_WORLD_SIZE": "1"], .openMPI))
        #expect(isShared(["PMI_SIZE": "2"], .mpich) && !isShared(["PMI_SIZE": "1"], .mpich))
        #expect(!isShared(["OMPI_COMM_WORLD_SIZE": "2"], .mpich) && !isShared(["PMI_SIZE": "2"], .openMPI))
        #expect(!isShared(task, .openMPI) && !isShared(task, .mpich) && !isShared([:], .other))
    }

    @Test func `Hydra, which kills all ranks when one was killed, is known by its variables`() {
        let pmi = ["PMI_FD": "6", "PMI_RANK": "1", "PMI_SIZE": "2"]
        func killsTogether(_ more: [String: String], _ family: MPIFamily = .mpich) -> Bool {
            LaunchEnvironment(pmi.merging(more) { $1 }, family: family).killsTogether
        }
        #expect(killsTogether(["HYDI_CONTROL_FD": "7"]) && killsTogether(["I_MPI_HYDRA_UUID": "922f"]))
        #expect(!killsTogether(["HYDI_CONTROL_FD": "7", "PMI_SIZE": "1"]))
        // First the variables of srun --mpi=pmi2, then a program whose MPI does not know Hydra.
        #expect(!killsTogether([:]) && !killsTogether(["HYDI_CONTROL_FD": "7"], .openMPI))
    }

    @Test func `later ranks are known by their variables`() {
        #expect(LaunchEnvironment(["PMI_RANK": "1"]).isLaterRank && LaunchEnvironment(["PMIX_RANK": "2"]).isLaterRank)
        #expect(!LaunchEnvironment(["PMI_RANK": "0"]).isLaterRank && !LaunchEnvironment(task).isLaterRank)
    }

    @Test func `a variable that is not a number is no evidence`() {
        #expect(LaunchEnvironment(["OMPI_COMM_WORLD_SIZE": "many", "PMI_SIZE": ""]).announcement == nil)
    }
}
