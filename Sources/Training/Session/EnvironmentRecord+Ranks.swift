import Failures
import Foundation
import Kernels
import MPI
import Runs
import Tasks

extension EnvironmentRecord {
    /// What the bits of a result also depend on.
    package static func libraries(_ products: ProductBackend) -> [String: String] {
        [
            "program": ProgramVersion.current, "blas": BLAS.description, "blasCore": BLAS.coreType,
            "products": products.version, "kernels": KernelBuild.name,
        ]
    }

    /// Collects all ranks' parts and writes the file on rank 0; collective. Rank 0's `precision` is written.
    package static func write(
        _ run: RunDirectory, world: Communicator, library: MPIEnvironment.Library, products: ProductBackend,
        threads: ThreadChoice, precision: PrecisionReport?, startup: StartupTimes, data: [TaskReport]
    ) throws(Failure) {
        let own = Rank(
            rank: world.rank, host: ProcessInfo.processInfo.hostName, threads: threads.threads,
            cores: "\(threads.cores)")
        let ranks = try world.gather(own, "the environment")
        guard world.rank == 0 else { return }
        try EnvironmentRecord(
            mpi: Library(version: library.version, threadLevel: library.threadLevel.rawValue),
            libraries: libraries(products), ranks: ranks, precision: precision, startup: startup, data: data
        ).write(to: run)
    }
}
