import Foundation

/// Makes OpenBLAS use the kernels of the processor it runs on.
///
/// OpenBLAS chooses when it is loaded, and a release that does not know a newer processor falls back to kernels of 2004,
/// ten times slower. Its choice can be set by OPENBLAS_CORETYPE only before the program starts, so where the fall-back is
/// seen the program starts itself once more with the variable set. The executables call it before MPI starts; it is theirs
/// to look at the environment.
public enum ProcessorKernels {
    private static let variable = "OPENBLAS_CORETYPE"

    /// Restarts the program with better kernels where that helps; does nothing when the user chose.
    public static func choose() {
        guard getenv(variable) == nil, let better = Machine.betterKernels else { return }
        setenv(variable, better, 1)
        let arguments = CommandLine.arguments.map { strdup($0) } + [nil]
        execv("/proc/self/exe", arguments)
        // Could not be started again: go on with what there is.
    }
}
