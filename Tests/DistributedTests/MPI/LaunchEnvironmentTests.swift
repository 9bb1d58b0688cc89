import Failures
import Testing

@testable import MPI

@Suite struct LaunchEnvironmentTests {
    /// What the check says of a process whose MPI is alone.
    private func refusal(_ environment: [String: String]) -> Failure? {
        do throws(Failure) {
            let launch = LaunchEnvironment(environment)
            try launch.checkBeforeStart()
            try launch.check(worldSize: 1)
            return nil
        } catch {
            return error
        }
    }

    /// What srun sets for the tasks of a step.
    private let task = [
        "SLURM_JOB_ID": "17", "SLURM_NTASKS": "8", "SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "8",
        "SLURM_PROCID": "3",
    ]

    /// What a batch script sees: the allocation's number of tasks, and no step.
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
            try LaunchEnvironment(environment).check(worldSize: 8)
        }
    }

    @Test(arguments: [
        ("OMPI_COMM_WORLD_SIZE", "use the mpirun of the Open MPI installation that this program is linked to"),
        ("PMI_SIZE", "use the mpirun of Open MPI instead (mpirun --version tells), or srun --mpi=pmix"),
        ("MV2_COMM_WORLD_SIZE", "use the mpirun of Open MPI instead (mpirun --version tells), or srun --mpi=pmix"),
    ])
    func `singletons of another MPI's mpirun are refused with the variable and the remedy`(
        variable: String, remedy: String
    ) throws {
        let failure = try #require(refusal([variable: "4"]))
        #expect(failure.code == .usage)
        #expect(
            failure.message
                == "4 processes were started together (\(variable)=4) but MPI sees each of them alone; \(remedy)")
    }

    @Test func `tasks of srun without a process manager are refused before MPI starts`() throws {
        let failure = try #require(throws: Failure.self) { try LaunchEnvironment(task).checkBeforeStart() }
        #expect(failure.code == .usage)
        #expect(failure.message.contains("SLURM_STEP_NUM_TASKS=8"))
        #expect(failure.message.contains("srun --mpi=pmix"))
    }

    @Test func `tasks of srun with a process manager are left to MPI first`() throws {
        let pmix = task.merging(["PMIX_RANK": "3", "PMIX_NAMESPACE": "slurm.pmix.17.0"]) { $1 }
        try LaunchEnvironment(pmix).checkBeforeStart()
        #expect(refusal(pmix)?.message.contains("SLURM_STEP_NUM_TASKS=8") == true)
    }

    @Test func `a rank above 0 that MPI sees alone is refused without a size`() throws {
        let failure = try #require(refusal(["PMIX_RANK": "2"]))
        #expect(failure.code == .usage)
        #expect(failure.message.contains("PMIX_RANK=2"))
    }

    @Test func `a variable that is not a number is no evidence`() {
        #expect(LaunchEnvironment(["OMPI_COMM_WORLD_SIZE": "many", "PMI_SIZE": ""]).announcement == nil)
    }
}
