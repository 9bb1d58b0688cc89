import Failures
import Foundation
import Kernels
import MPI

/// `doctor`: what this program found on each rank's machine.
public enum Doctor {
    /// One rank's findings.
    private struct Findings: Codable {
        var host: String
        var cores: String
        var share: Int
        var threads: Int
        var ranksOnNode: Int
        var blas: String
        var warnings: [String]
    }

    /// Prints the report on rank 0; collective.
    public static func run(_ mpi: borrowing MPIEnvironment) throws(Failure) {
        let world = mpi.world
        let choice = try ThreadChoice(requested: nil, world: world, microBatches: nil)
        let own = Findings(
            host: mpi.processorName, cores: "\(choice.cores)", share: choice.fairShare, threads: choice.threads,
            ranksOnNode: choice.ranksOnNode, blas: BLAS.coreType, warnings: choice.warnings)
        let all = try world.gather(own, "the findings")
        guard world.rank == 0 else { return }
        print("unolora-dist \(ProgramVersion.current), commit \(ProgramVersion.commit ?? "unknown")")
        print("MPI          \(mpi.library.version); thread level \(mpi.threadLevel.rawValue); \(world.size) rank(s)")
        print("BLAS         \(BLAS.description); kernels for \(BLAS.coreType)")
        print("rank  host  ranks on node  cores it may use  its share  threads chosen")
        var seen: Set<String> = []
        var warnings: [String] = []
        for (rank, found) in all.enumerated() {
            print(
                "\(rank)  \(found.host)  \(found.ranksOnNode)  \(found.cores)  \(found.share)  \(found.threads)")
            if found.blas != BLAS.coreType {
                warnings.append(
                    "rank \(rank): BLAS kernels for \(found.blas), others for \(BLAS.coreType): set OPENBLAS_CORETYPE "
                        + "to one of them on all nodes, or the result depends on who computes what")
            }
            for warning in found.warnings where seen.insert(found.host + warning).inserted {
                warnings.append("rank \(rank) on \(found.host): \(warning)")
            }
        }
        print(warnings.isEmpty ? "no warnings" : warnings.map { "warning: \($0)" }.joined(separator: "\n"))
    }
}
