import CMPI

/// The family of the MPI library that this program is built for, whose members understand each other's launchers.
public enum MPIFamily: Sendable, Equatable {
    /// Open MPI.
    case openMPI
    /// MPICH and what is made of it: Intel MPI, Cray MPICH, MVAPICH.
    case mpich
    /// One that this program does not know.
    case other

    /// That of this build.
    public static let ofThisBuild: MPIFamily =
        switch cmpi_library_family() {
        case cmpi_open_mpi: .openMPI
        case cmpi_mpich: .mpich
        default: .other
        }

    /// What mpirun of this family is called in a message.
    var launcher: String {
        switch self {
        case .openMPI: "the mpirun of Open MPI"
        case .mpich: "the mpirun of MPICH"
        case .other: "the mpirun of the MPI library that this program is linked to"
        }
    }

    /// The flag of srun with which ranks of this family find each other.
    var srun: String {
        switch self {
        case .openMPI, .other: "srun --mpi=pmix"
        case .mpich: "srun --mpi=pmi2"
        }
    }
}
