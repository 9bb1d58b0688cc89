import Failures
import Foundation

/// What the launcher that started this process says about the job, read from environment variables.
///
/// It exists to catch one mistake: a launcher starts N processes but this MPI library does not understand it, so that
/// each process believes to be alone and N copies of the same run write to one directory. The variables never decide
/// rank or size; MPI does.
public struct LaunchEnvironment: Sendable, Equatable {
    /// A launcher that leaves a trace.
    public enum Launcher: Sendable, Equatable {
        /// Open MPI's mpirun (or prterun).
        case openMPI
        /// MVAPICH2's launcher.
        case mvapich
        /// A launcher that speaks PMI: MPICH's or Intel MPI's mpirun, `srun --mpi=pmi2`.
        case pmi
        /// SLURM's srun.
        case slurm
    }

    /// The variable that names the innermost launcher's number of processes, and that number.
    public struct Announcement: Sendable, Equatable {
        /// Who announces.
        public let launcher: Launcher
        /// The variable.
        public let variable: String
        /// The number of processes that were started together.
        public let size: Int
    }

    /// Nil when no launcher is recognised: the program runs alone, or the launcher tells no size.
    public let announcement: Announcement?
    /// This process's number as a PMIx server gives it, nil without one.
    public let pmixRank: Int?
    /// Whether any process manager that an MPI library could ask has left a trace.
    let hasProcessManager: Bool

    /// Reads a dictionary of environment variables.
    ///
    /// The order is from the innermost launcher outwards: Open MPI's and MPICH's mpirun start their daemons with srun
    /// inside a SLURM job, so their processes carry the variables of both. SLURM_NTASKS is not evidence: it is set in a
    /// batch script, which runs once. SLURM_STEP_NUM_TASKS is set by srun for the tasks of a step.
    public init(_ environment: [String: String]) {
        func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
        let sources: [(Launcher, String)] = [
            (.openMPI, "OMPI_COMM_WORLD_SIZE"), (.mvapich, "MV2_COMM_WORLD_SIZE"), (.pmi, "PMI_SIZE"),
            (.slurm, "SLURM_STEP_NUM_TASKS"),
        ]
        announcement =
            sources.lazy.compactMap { launcher, variable in
                guard let size = number(variable), size > 0 else { return nil }
                if launcher == .slurm && number("SLURM_PROCID") == nil { return nil }
                return Announcement(launcher: launcher, variable: variable, size: size)
            }.first
        pmixRank = number("PMIX_RANK")
        hasProcessManager = environment.keys.contains { $0.hasPrefix("PMIX_") || $0.hasPrefix("PMI_") }
    }

    /// What the launcher says to this process.
    public static var ofThisProcess: LaunchEnvironment { LaunchEnvironment(ProcessInfo.processInfo.environment) }

    /// Whether a launcher started this process as another than the first one of its job.
    public var isLaterRank: Bool { (pmixRank ?? 0) > 0 }

    /// Whether Open MPI's mpirun started this process together with others.
    public var isSharedByOpenMPI: Bool { announcement.map { $0.launcher == .openMPI && $0.size > 1 } ?? false }

    /// Refuses what is certain before MPI starts: tasks of srun that have no process manager to find each other with.
    /// Open MPI would end them with a page about its installation.
    public func checkBeforeStart() throws(Failure) {
        guard let announcement, announcement.launcher == .slurm, announcement.size > 1, !hasProcessManager else {
            return
        }
        throw refusal(announcement)
    }

    /// Refuses a job whose processes are all alone though several were started together.
    ///
    /// - Parameter worldSize: the number of ranks that MPI reports.
    /// - Throws: `.usage`, saying what was seen and what to do.
    public func check(worldSize: Int) throws(Failure) {
        guard worldSize == 1 else { return }
        if let announcement {
            if announcement.size > 1 { throw refusal(announcement) }
        } else if let pmixRank, pmixRank > 0 {
            throw Failure(
                .usage,
                "this process is number \(pmixRank) of its job (PMIX_RANK=\(pmixRank)) but MPI sees it alone; start it "
                    + "with the mpirun of Open MPI, or with srun --mpi=pmix")
        }
    }

    private func refusal(_ announcement: Announcement) -> Failure {
        let remedy =
            switch announcement.launcher {
            case .openMPI: "use the mpirun of the Open MPI installation that this program is linked to"
            case .mvapich, .pmi: "use the mpirun of Open MPI instead (mpirun --version tells), or srun --mpi=pmix"
            case .slurm: "use srun --mpi=pmix (srun --mpi=list tells whether SLURM has it), or mpirun"
            }
        return Failure(
            .usage,
            "\(announcement.size) processes were started together "
                + "(\(announcement.variable)=\(announcement.size)) but MPI sees each of them alone; \(remedy)")
    }
}
