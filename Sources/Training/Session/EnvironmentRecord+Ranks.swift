package import Configuration
package import Failures
import Foundation
import Kernels
package import MPI
package import Runs

extension EnvironmentRecord {
    /// What else the bits of a result depend on.
    package static func libraries(_ backend: ProductBackend, _ products: ModelProducts) -> [String: String] {
        [
            "program": ProgramVersion.current, "blas": BLAS.description, "blasCore": BLAS.coreType,
            "products": backend.version(for: products), "kernels": KernelBuild.name,
        ]
    }

    /// Collects the parts of all ranks and writes the file on rank 0, with rank 0's `precision`; collective.
    package static func write(
        _ run: RunDirectory, world: Communicator, library: MPIEnvironment.Library, libraries: [String: String],
        threads: ThreadChoice, precision: PrecisionReport?, startup: StartupTimes,
        origin: EnvironmentRecord.Origin?
    ) throws(Failure) {
        let own = Rank(
            rank: world.rank, host: ProcessInfo.processInfo.hostName, threads: threads.threads,
            cores: "\(threads.cores)")
        let ranks = try world.gather(own, "the environment")
        guard world.rank == 0 else { return }
        try EnvironmentRecord(
            mpi: Library(version: library.version, threadLevel: library.threadLevel.rawValue),
            libraries: libraries, ranks: ranks, precision: precision, startup: startup,
            origin: origin
        ).write(to: run)
    }
}
