public import Configuration
public import Failures
import Kernels
public import MPI
import Runs
import Training

/// `doctor`: reports what this program finds on each rank's machine.
public enum DoctorCommand {
    /// One rank's findings.
    private struct Findings: Codable {
        var host: String
        var cores: String
        var share: Int
        var threads: Int
        var ranksOnNode: Int
        var blas: String
        /// What would compute the products with frozen weights, and the version of the loops.
        var products: String
        var kernels: String
        var warnings: [String]
    }

    /// What computes the products here, in a run with the configuration or with another `parallel.gemm` than its own.
    private static func backend(
        _ configuration: RunConfiguration?, gemm: String? = nil
    ) throws(Failure) -> ProductBackend {
        guard let configuration else { return ProductBackend.preferred() }
        return try ProductBackend(configuration, gemm: gemm)
    }

    /// Prints the report on rank 0; collective. `load` returns the configuration of the run for which the ranks are meant. If
    /// it returns nil, nothing is known about micro-batches.
    public static func run(
        _ mpi: borrowing MPIEnvironment, for load: () throws(Failure) -> RunConfiguration?
    ) throws(Failure) {
        let world = mpi.world
        let configuration = try world.rankZeroFirst(load)
        let choice = try ThreadChoice(
            requested: configuration?.threads, world: world,
            microBatches: configuration.map { $0.globalBatch / $0.microBatch })
        let own = Findings(
            host: mpi.processorName, cores: "\(choice.cores)", share: choice.fairShare, threads: choice.threads,
            ranksOnNode: choice.ranksOnNode, blas: BLAS.coreType,
            products: (try? backend(configuration))?.version(for: configuration?.products ?? .float32) ?? "nothing",
            kernels: KernelBuild.name, warnings: choice.warnings)
        let all = try world.gather(own, "the findings")
        guard world.rank == 0 else { return }
        // Nil when `auto` has nothing for these products, of which a warning says more.
        let automatic = try? backend(configuration, gemm: "auto")
        let settings =
            configuration.map {
                " for model.storage \($0.storage.rawValue) and model.products \($0.products.rawValue)"
            } ?? ""
        var lines = [
            "unolora-dist \(ProgramVersion.current), commit \(ProgramVersion.commit ?? "unknown")",
            "MPI          \(mpi.library.version); thread level \(mpi.threadLevel.rawValue); \(world.size) rank(s)",
            "BLAS         \(BLAS.description); kernels for \(BLAS.coreType)",
            "products     \(OneDNN.name ?? "no oneDNN in this build"), \(TileProducts.name); parallel.gemm auto is "
                + (automatic?.rawValue ?? "none") + settings + "; model.products fast is "
                + ProductBackend.preferred(.fast).meaning(of: .fast).rawValue,
            "loops        compiled for \(KernelBuild.name); \(KernelBuild.loops) where it matters",
            "rank  host  ranks on node  cores it may use  its share  threads chosen",
        ]
        var seen: Set<String> = []
        var warnings = configuration?.warnings ?? []
        if TileProducts.isInProcessor, let reason = ProductBackend.withoutTiles {
            warnings.append("\(reason), so nothing uses them")
        }
        do throws(Failure) {
            try configuration?.checkRanks(world.size)
        } catch {
            warnings.append(error.message)
        }
        do throws(Failure) {
            if let configuration {
                let warning = try backend(configuration).warning(configuration.products)
                warnings += [warning].compactMap(\.self)
            }
        } catch {
            warnings.append(error.message)
        }
        for (rank, found) in all.enumerated() {
            lines.append(
                "\(rank)  \(found.host)  \(found.ranksOnNode)  \(found.cores)  \(found.share)  \(found.threads)")
            if found.blas != BLAS.coreType {
                warnings.append(
                    "rank \(rank): BLAS kernels for \(found.blas), others for \(BLAS.coreType): set OPENBLAS_CORETYPE "
                        + "to one of them on all nodes, or the result depends on who computes what")
            }
            if found.blas == BLAS.coreType, (found.products, found.kernels) != (own.products, own.kernels) {
                warnings.append(
                    "rank \(rank): products by \(found.products), kernels for \(found.kernels), and rank 0 has "
                        + "\(own.products), kernels for \(own.kernels): a run refuses that; use nodes of one kind, with the same "
                        + "UNOLORA_VECTORS, if any")
            }
            for warning in found.warnings where seen.insert(found.host + warning).inserted {
                warnings.append("rank \(rank) on \(found.host): \(warning)")
            }
        }
        lines += warnings.isEmpty ? ["no warnings"] : warnings.map { "warning: \($0)" }
        try Terminal.print(lines.joined(separator: "\n"))
    }
}
