import Backbone
import Configuration
import Foundation
import Kernels
import Tensors
import Training

extension PlanReport {
    /// Bytes that the ranks of a node share: the backbone, and its packed weights.
    private var sharedBytes: Int {
        plan.shape.weightBytes(plan.configuration.weightFormat)
            + plan.configuration.packedBytes(plan.products, plan.shape)
    }

    /// Private bytes of the rank that tokenises, if the token cache is not there.
    var tokenisingBytes: Int { RankMemory.tokenisingBytes(rows: data.texts.rows, tokens: data.texts.tokens) }

    /// Private bytes of a rank while it packs weights, before it has anything that training needs.
    var packingBytes: Int {
        let copies = plan.configuration.packingCopies(
            plan.products, plan.shape, ranks: plan.ranksPerNode, threads: plan.packingThreads)
        return RankMemory.processBytes + copies.bytesOfRank
    }

    /// The most that a node needs: while it packs weights, while it trains, or while one of its ranks tokenises the files, which are
    /// mapped.
    var nodeBytes: Double {
        let ranks = Double(plan.ranksPerNode)
        let tokenising =
            Double(tokenisingBytes) + Double(data.fileBytes) + (ranks - 1) * Double(RankMemory.processBytes)
        return Double(sharedBytes) + max(ranks * Double(max(memory.mostBytes, packingBytes)), tokenising)
    }

    /// A warning if that is more than this machine has.
    var memoryWarning: String? {
        memory.warning(ranks: plan.ranksPerNode, shared: sharedBytes, packing: packingBytes, limit: .machine)
    }

    /// The memory of a rank and of a node, and what goes over the wire.
    var memoryLines: [String] {
        let (configuration, threads) = (plan.configuration, plan.threads)
        let format = configuration.weightFormat
        let answers =
            configuration.evaluates
            ? "the larger of training on \(configuration.microBatch) x \(configuration.maxSource) tokens and answering "
                + "\(configuration.evaluationBatch) x \(configuration.maxSource)"
            : "training on \(configuration.microBatch) x \(configuration.maxSource) tokens"
        let (fewest, most) = (memory.snapshots.lowerBound, memory.snapshots.upperBound)
        let count = fewest == most ? "\(most)" : "\(fewest) to \(most)"
        let usual = Self.mebibytes(memory.usualBytes ?? memory.mostBytes)
        let greatest = Self.mebibytes(memory.mostBytes)
        let worker = Self.mebibytes(memory.mostOfWorker)
        let usualWorker = Self.mebibytes(memory.usualOfWorker ?? memory.mostOfWorker)
        let backbone = format == .float32 ? "mapped" : "in \(format.rawValue)"
        let exchange =
            memory.exchangeBytes > 0
            ? ["\(Self.mebibytes(memory.exchangeBytes)) MiB that MPI may take for the sum"] : []
        let parts =
            [
                "\(Self.mebibytes(RankMemory.processBytes)) MiB of the process",
                "\(Self.mebibytes(memory.stateBytes)) MiB of weights, moments and sums",
            ] + exchange + [
                "\(count) snapshots of \(Self.mebibytes(memory.snapshotBytes(1))) MiB",
                "up to \(threads) worker(s) of \(worker) MiB (\(answers); \(usualWorker) MiB for texts as long as the data's)",
            ]
        let base = Self.mebibytes(plan.shape.weightBytes(format))
        let wire = memory.wireBytes(tasks: configuration.tasks.count)
        var lines = [
            "memory per rank      about \(usual) MiB private, up to \(greatest) MiB: \(parts.joined(separator: ", "))",
            "memory per node      \(base) MiB backbone \(backbone), once, + \(packs) + \(plan.ranksPerNode) x "
                + "\(usual) MiB, up to \(greatest)",
            "wire per step        \(Self.mebibytes(wire)) MiB reduced once by each of \(plan.ranks) rank(s)",
        ]
        if configuration.keepsSnapshotFile {
            lines.append(
                "snapshot files       2 of \(Self.mebibytes(memory.snapshotBytes(1))) MiB in the run directory, written in turn "
                    + "after each step; no more memory")
        }
        lines.append(prediction)
        if packingBytes > memory.usualBytes ?? memory.mostBytes {
            lines.append(
                "packing              about \(Self.mebibytes(packingBytes)) MiB private on each rank at the start, for copies of "
                    + "weights while they are packed")
        }
        if tokenisingBytes > memory.usualBytes ?? 0 {
            lines.append(
                "tokenising           about \(Self.mebibytes(tokenisingBytes)) MiB on one rank of each node at the start, where "
                    + "the token cache is not there yet, and \(Self.mebibytes(data.fileBytes)) MiB of mapped files")
        }
        return lines
    }

    /// What `predict` will need.
    private var prediction: String {
        let memory = PredictionMemory(
            plan.configuration, shape: plan.shape, method: plan.method, longestTarget: data.longestTarget,
            labels: data.labels.filter { $0 <= LineAnswers.mostScored })
        return "memory of predict    up to \(Self.mebibytes(memory.rankBytes)) MiB private a rank and "
            + "\(Self.mebibytes(memory.workerBytes)) MiB for each of its workers, with --scores "
            + "\(Self.mebibytes(memory.scoringBytes)) MiB"
    }

    /// What is packed, and what would be packed with the other library if the configuration allows it.
    private var packs: String {
        let (configuration, products) = (plan.configuration, plan.products)
        func size(_ products: ProductBackend, none: String) -> String {
            let bytes = configuration.packedBytes(products, plan.shape)
            return bytes == 0 ? none : "\(Self.mebibytes(bytes)) MiB"
        }
        let isPacked = configuration.packedBytes(products, plan.shape) > 0
        let name =
            switch products {
            case .openblas: isPacked ? "products of 8 bits" : "OpenBLAS"
            case .onednn: "oneDNN"
            case .tiles: "tiles"
            }
        let own = size(products, none: "nothing") + " packed\(isPacked ? " once" : "") for " + name
        // The other libraries do not compute all that tiles do.
        guard configuration.weightFormat == .float32, products != .tiles, configuration.products != .bfloat16 else {
            return own
        }
        let other: ProductBackend = products == .onednn ? .openblas : .onednn
        return own + " (\(size(other, none: "none")) with parallel.gemm: \(other.rawValue))"
    }

    private static func mebibytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / 1_048_576) }
}
