import Failures
import Foundation
import Kernels
import MPI

/// `environment.json`: what a run ran on.
enum RunEnvironment {
    /// What the bits of a result also depend on.
    static var libraries: [String: String] {
        ["program": ProgramVersion.current, "blas": BLAS.description, "blasCore": BLAS.coreType]
    }

    private struct Rank: Codable {
        var rank: Int
        var host: String
        var threads: Int
        var cores: String
    }

    private struct Document: Codable {
        var version: String
        var libraries: [String: String]
        var ranks: [Rank]
        var system: String
        var command: [String]
        var started: Double
    }

    /// Collects all ranks' parts and writes the file on rank 0; collective.
    static func write(_ run: RunDirectory, world: Communicator, threads: ThreadChoice) throws(Failure) {
        let own = Rank(
            rank: world.rank, host: ProcessInfo.processInfo.hostName, threads: threads.threads,
            cores: "\(threads.cores)")
        guard let bytes = try? JSONEncoder().encode(own) else {
            throw Failure(.internal, "the environment cannot be encoded")
        }
        let parts = try world.gather([UInt8](bytes), to: 0)
        guard world.rank == 0 else { return }
        let document = Document(
            version: ProgramVersion.current, libraries: libraries,
            ranks: parts.compactMap { try? JSONDecoder().decode(Rank.self, from: Data($0)) },
            system: ProcessInfo.processInfo.operatingSystemVersionString, command: CommandLine.arguments,
            started: Date().timeIntervalSince1970)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(document) else {
            throw Failure(.internal, "the environment cannot be encoded")
        }
        try run.write(data, to: run.environment)
    }
}
