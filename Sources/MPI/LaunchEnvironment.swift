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

        /// Whose ranks it starts so that they find each other; nil for any.
        fileprivate var family: MPIFamily? {
            switch self {
            case .openMPI: .openMPI
            case .mvapich, .pmi: .mpich
            case .slurm: nil
            }
        }
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

    /// The variable with a process's number in its job, and that number.
    struct Number: Sendable, Equatable {
        let variable: String
        let rank: Int
    }

    /// Nil when no launcher is recognised: the program runs alone, or the launcher tells no size.
    public let announcement: Announcement?
    /// This process's number as a PMIx or PMI server gives it, with the variable that says so; nil without one.
    let number: Number?
    /// Whether any process manager that an MPI library could ask has left a trace.
    let hasProcessManager: Bool
    /// Whether Hydra started this process: the mpirun of MPICH or of Intel MPI.
    let isOfHydra: Bool
    private let family: MPIFamily

    /// Reads a dictionary of environment variables.
    ///
    /// The order is from the innermost launcher outwards: Open MPI's and MPICH's mpirun start their daemons with srun
    /// inside a SLURM job, so their processes carry the variables of both. SLURM_NTASKS is not evidence: it is set in a
    /// batch script, which runs once. SLURM_STEP_NUM_TASKS is set by srun for the tasks of a step.
    ///
    /// `family`: that of the MPI library, which decides what helps.
    public init(_ environment: [String: String], family: MPIFamily = .ofThisBuild) {
        self.family = family
        func value(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
        let sources: [(Launcher, String)] = [
            (.openMPI, "OMPI_COMM_WORLD_SIZE"), (.mvapich, "MV2_COMM_WORLD_SIZE"), (.pmi, "PMI_SIZE"),
            (.slurm, "SLURM_STEP_NUM_TASKS"),
        ]
        announcement =
            sources.lazy.compactMap { launcher, variable in
                guard let size = value(variable), size > 0 else { return nil }
                if launcher == .slurm && value("SLURM_PROCID") == nil { return nil }
                return Announcement(launcher: launcher, variable: variable, size: size)
            }.first
        number =
            ["PMIX_RANK", "PMI_RANK"].lazy.compactMap { name in
                value(name).map { Number(variable: name, rank: $0) }
            }.first
        hasProcessManager = environment.keys.contains { $0.hasPrefix("PMIX_") || $0.hasPrefix("PMI_") }
        isOfHydra = ["HYDI_CONTROL_FD", "I_MPI_HYDRA_UUID"].contains { environment[$0] != nil }
    }

    /// What the launcher says to this process.
    public static var ofThisProcess: LaunchEnvironment { LaunchEnvironment(ProcessInfo.processInfo.environment) }

    /// Whether a launcher started this process as another than the first one of its job.
    public var isLaterRank: Bool { (number?.rank ?? 0) > 0 }

    /// Whether a launcher of this library's family started this process together with others, so that MPI knows them.
    public var isSharedByOwnLauncher: Bool {
        announcement.map { $0.launcher.family == family && $0.size > 1 } ?? false
    }

    /// Whether the launcher kills all ranks as soon as one was killed, before they could save anything.
    var killsTogether: Bool { family == .mpich && isSharedByOwnLauncher && isOfHydra }

    /// Refuses what is certain before MPI starts: tasks of srun that have no process manager to find each other with.
    /// Open MPI would end them with a page about its installation. MPICH starts each of them alone, and where it is built
    /// for SLURM's own library they find each other without a trace in the environment, so there MPI is asked first.
    public func checkBeforeStart() throws(Failure) {
        guard let announcement, announcement.launcher == .slurm, announcement.size > 1, !hasProcessManager,
            family != .mpich
        else { return }
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
        } else if let number, number.rank > 0 {
            throw Failure(
                .usage,
                "this process is number \(number.rank) of its job (\(number.variable)=\(number.rank)) but MPI sees it "
                    + "alone; start it with \(family.launcher), or with \(family.srun)")
        }
    }

    private func refusal(_ announcement: Announcement) -> Failure {
        let remedy =
            switch announcement.launcher {
            case .slurm: "use \(family.srun) (srun --mpi=list tells whether SLURM has it), or mpirun"
            case let launcher where launcher.family == family:
                "use the mpirun of the \(family == .openMPI ? "Open MPI" : "MPI") installation that this program is linked to"
            default: "use \(family.launcher) instead (mpirun --version tells), or \(family.srun)"
            }
        return Failure(
            .usage,
            "\(announcement.size) processes were started together "
                + "(\(announcement.variable)=\(announcement.size)) but MPI sees each of them alone; \(remedy)")
    }
}
