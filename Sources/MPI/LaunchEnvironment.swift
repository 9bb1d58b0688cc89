public import Failures
import Foundation

/// What the launcher of this process says about the job in environment variables.
///
/// It exists to catch one mistake: a launcher starts N processes, but this MPI library does not understand it. Then each
/// process thinks that it is alone, and N copies of the same run write to one directory. The variables never decide rank or
/// size; MPI does.
public struct LaunchEnvironment: Sendable, Equatable {
    /// A launcher that sets environment variables.
    public enum Launcher: Sendable, Equatable {
        /// Open MPI's mpirun (or prterun).
        case openMPI
        /// MVAPICH2's launcher.
        case mvapich
        /// A launcher that speaks PMI: MPICH's or Intel MPI's mpirun, `srun --mpi=pmi2`.
        case pmi
        /// SLURM's srun.
        case slurm

        /// The MPI family whose ranks find each other when this launcher starts them; nil for any.
        fileprivate var family: MPIFamily? {
            switch self {
            case .openMPI: .openMPI
            case .mvapich, .pmi: .mpich
            case .slurm: nil
            }
        }
    }

    /// The number of processes that the innermost launcher started, and the variable that says so.
    public struct Announcement: Sendable, Equatable {
        /// The launcher.
        public let launcher: Launcher
        /// The variable.
        public let variable: String
        /// The number of processes that the launcher started together.
        public let size: Int
    }

    /// A process's number in its job, and the variable that says so.
    struct Number: Sendable, Equatable {
        let variable: String
        let rank: Int
    }

    /// Nil when no launcher is recognised: the program runs alone, or the launcher does not tell the size.
    public let announcement: Announcement?
    /// This process's number as a PMIx or PMI server gives it, with the variable that says so; nil when there is none.
    let number: Number?
    /// Whether the environment shows any process manager that an MPI library could ask.
    let hasProcessManager: Bool
    /// Whether Hydra, the mpirun of MPICH or Intel MPI, started this process.
    let isOfHydra: Bool
    private let family: MPIFamily

    /// Reads a dictionary of environment variables.
    ///
    /// Variables are examined from the innermost launcher outwards: inside a SLURM job Open MPI's and MPICH's mpirun start
    /// their daemons with srun, so their processes carry the variables of both. SLURM_NTASKS proves nothing: it is also set in
    /// a batch script, which runs once. srun sets SLURM_STEP_NUM_TASKS for the tasks of a step.
    ///
    /// `family` is that of the MPI library; it decides which remedy to name.
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

    /// The launcher's variables for this process.
    public static var ofThisProcess: LaunchEnvironment { LaunchEnvironment(ProcessInfo.processInfo.environment) }

    /// Whether a launcher started this process as a rank other than the first of its job.
    public var isLaterRank: Bool { (number?.rank ?? 0) > 0 }

    /// Whether a launcher of this library's family started this process together with others, so that MPI knows about them.
    public var isSharedByOwnLauncher: Bool {
        announcement.map { $0.launcher.family == family && $0.size > 1 } ?? false
    }

    /// Whether the launcher kills all ranks as soon as one is killed, before the others can save anything.
    var killsTogether: Bool { family == .mpich && isSharedByOwnLauncher && isOfHydra }

    /// Refuses, before MPI starts, a job that certainly cannot work: tasks of srun without a process manager through which they
    /// could find each other. Open MPI would end them with a page about its installation. MPICH would start each of them alone.
    /// But an MPICH that is built for SLURM's own library finds the other ranks without any variable, so with MPICH, MPI is
    /// asked first.
    public func checkBeforeStart() throws(Failure) {
        guard let announcement, announcement.launcher == .slurm, announcement.size > 1, !hasProcessManager,
            family != .mpich
        else { return }
        throw refusal(announcement)
    }

    /// Refuses a job in which several processes were started together but MPI sees each of them alone.
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
