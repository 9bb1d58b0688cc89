import CMPI

/// The family of the MPI library that this program is built for; members of a family understand each other's launchers.
public enum MPIFamily: Sendable, Equatable {
    /// Open MPI.
    case openMPI
    /// MPICH and its descendants: Intel MPI, Cray MPICH, MVAPICH.
    case mpich
    /// A library that this program does not know.
    case other

    /// The family of this build.
    public static let ofThisBuild: MPIFamily =
        switch cmpi_library_family() {
        case cmpi_open_mpi: .openMPI
        case cmpi_mpich: .mpich
        default: .other
        }

    /// The name of this family's mpirun in messages.
    var launcher: String {
        switch self {
        case .openMPI: "the mpirun of Open MPI"
        case .mpich: "the mpirun of MPICH"
        case .other: "the mpirun of the MPI library that this program is linked to"
        }
    }

    /// The option of srun with which ranks of this family find each other.
    var srun: String {
        switch self {
        case .openMPI, .other: "srun --mpi=pmix"
        case .mpich: "srun --mpi=pmi2"
        }
    }
}
