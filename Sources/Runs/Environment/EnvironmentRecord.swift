package import Failures
import Foundation
import Tensors

/// `environment.json`: the machines and libraries on which a run ran, and its precision.
package struct EnvironmentRecord: Codable {
    /// The MPI library.
    package struct Library: Codable {
        package var version: String
        package var threadLevel: String

        /// Creates the file's entry about the library.
        package init(version: String, threadLevel: String) {
            self.version = version
            self.threadLevel = threadLevel
        }
    }

    /// The adapter with which the run began.
    package struct Origin: Codable {
        package var path: String
        package var digest: String

        /// Creates the file's entry about the origin.
        package init(path: String, digest: String) {
            self.path = path
            self.digest = digest
        }
    }

    /// One rank of the job.
    package struct Rank: Codable {
        package var rank: Int
        package var host: String
        package var threads: Int
        package var cores: String

        /// Creates the file's entry about a rank; `cores` is for people.
        package init(rank: Int, host: String, threads: Int, cores: String) {
            self.rank = rank
            self.host = host
            self.threads = threads
            self.cores = cores
        }
    }

    package var version: String
    /// Commit of the checkout in which the program was built; "unknown" when it cannot be found out.
    package var commit: String
    package var mpi: Library
    /// What else the bits of a result depend on, by name.
    package var libraries: [String: String]
    package var ranks: [Rank]
    /// How much the run's weights and products differ from float32, if that was measured.
    package var precision: PrecisionReport?
    package var system: String
    package var command: [String]
    /// Seconds since 1970 when this was written, directly before the first step.
    package var started: Double
    /// What rank 0 did before that.
    package var startup: StartupTimes.Record
    /// Nil for a random start.
    package var origin: Origin?

    /// Creates the record; `startup` has what rank 0 did until now.
    package init(
        mpi: Library, libraries: [String: String], ranks: [Rank], precision: PrecisionReport?,
        startup: StartupTimes, origin: Origin? = nil
    ) {
        version = ProgramVersion.current
        commit = ProgramVersion.commit ?? "unknown"
        self.mpi = mpi
        self.libraries = libraries
        self.ranks = ranks
        self.precision = precision
        system = ProcessInfo.processInfo.operatingSystemVersionString
        command = CommandLine.arguments
        started = Date().timeIntervalSince1970
        self.startup = startup.record
        self.origin = origin
    }

    /// The adapter with which a run began, as its record says; nil without one.
    package static func origin(of run: RunDirectory) -> Origin? {
        struct Part: Decodable {
            var origin: Origin?
        }
        guard let data = FileManager.default.contents(atPath: run.environment) else { return nil }
        return (try? BoundedJSON.decode(Part.self, from: data))?.origin
    }

    /// Writes the file into a run directory.
    package func write(to run: RunDirectory) throws(Failure) {
        try run.write(StableJSON.document(self, "the environment"), to: run.environment)
    }
}
