import Failures
import Foundation
import Kernels
import MPI
import Tasks
import Tensors

/// `environment.json`: what a run ran on, and with which precision.
enum RunEnvironment {
    /// What the bits of a result also depend on.
    static func libraries(_ products: ProductBackend) -> [String: String] {
        [
            "program": ProgramVersion.current, "blas": BLAS.description, "blasCore": BLAS.coreType,
            "products": products.version, "kernels": KernelBuild.name,
        ]
    }

    private struct Rank: Codable {
        var rank: Int
        var host: String
        var threads: Int
        var cores: String
    }

    private struct Document: Codable {
        var version: String
        /// Commit of the checkout that the program was built in; "unknown" when it cannot be told.
        var commit: String
        var mpi: MPIEnvironment.Library
        var libraries: [String: String]
        var ranks: [Rank]
        /// How far the run's weights and products are from float32, where they were measured.
        var precision: PrecisionReport?
        var system: String
        var command: [String]
        /// Seconds since 1970 when this was written, right before the first step.
        var started: Double
        /// What rank 0 did until then.
        var startup: StartupTimes.Record
        /// What reading and tokenising the tasks found.
        var data: [TaskReport]
    }

    /// Collects all ranks' parts and writes the file on rank 0; collective. Rank 0's `precision` is written.
    static func write(
        _ run: RunDirectory, world: Communicator, library: MPIEnvironment.Library, products: ProductBackend,
        threads: ThreadChoice, precision: PrecisionReport?, startup: StartupTimes,
        data: [TaskReport]
    ) throws(Failure) {
        let own = Rank(
            rank: world.rank, host: ProcessInfo.processInfo.hostName, threads: threads.threads,
            cores: "\(threads.cores)")
        let ranks = try world.gather(own, "the environment")
        guard world.rank == 0 else { return }
        let document = Document(
            version: ProgramVersion.current, commit: ProgramVersion.commit ?? "unknown", mpi: library,
            libraries: libraries(products), ranks: ranks, precision: precision,
            system: ProcessInfo.processInfo.operatingSystemVersionString, command: CommandLine.arguments,
            started: Date().timeIntervalSince1970, startup: startup.record, data: data)
        try run.write(StableJSON.document(document, "the environment"), to: run.environment)
    }
}
