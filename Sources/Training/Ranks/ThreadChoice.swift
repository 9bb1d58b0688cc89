public import Failures
import Foundation
public import MPI

/// How many worker threads a rank runs and why.
public struct ThreadChoice: Sendable {
    /// Workers of this rank.
    public let threads: Int
    /// Ranks on this node.
    public let ranksOnNode: Int
    /// Cores this rank may use.
    public let cores: AvailableCores
    /// This rank's share of its node's cores.
    public let fairShare: Int
    /// Warnings for the user: what is wrong, and the option that corrects it.
    public let warnings: [String]

    /// Chooses `requested` threads, or as many as this rank's share of the cores allows; collective over `world`.
    ///
    /// `microBatches` is the number per step, if known: workers beyond a rank's share of them would be idle.
    public init(requested: Int?, world: Communicator, microBatches: Int?) throws(Failure) {
        let node = try world.nodeCommunicator()
        cores = AvailableCores.ofThisProcess()
        fairShare = try node.fairShare(of: cores)
        ranksOnNode = node.size
        try node.free()
        let own = microBatches.map { Self.largestShare(ofMicroBatches: $0, ranks: world.size) } ?? .max
        threads = Self.threads(requested: requested, fairShare: fairShare, own: own)
        warnings = Self.warnings(
            threads: threads, own: own, cores: cores, ranksOnNode: ranksOnNode,
            processors: ProcessInfo.processInfo.processorCount)
    }

    /// The largest number of a step's micro-batches that one rank gets.
    package static func largestShare(ofMicroBatches microBatches: Int, ranks: Int) -> Int {
        (microBatches + ranks - 1) / ranks
    }

    /// The number of threads of a rank: the requested number, or one for each core of its share, but at most `own`, the number
    /// of its micro-batches.
    package static func threads(requested: Int?, fairShare: Int, own: Int) -> Int {
        requested ?? max(1, min(fairShare, own))
    }

    /// A warning about threads beyond a rank's micro-batches; nil when there are none.
    package static func idleWarning(threads: Int, own: Int) -> String? {
        guard threads > own else { return nil }
        return
            "\(threads - own) of \(threads) threads of a rank will idle: it has at most \(own) micro-batch(es) in a step; "
            + "use fewer threads or a smaller batch.micro"
    }

    static func warnings(
        threads: Int, own: Int, cores: AvailableCores, ranksOnNode: Int, processors: Int,
        family: MPIFamily = .ofThisBuild
    ) -> [String] {
        var warnings: [String] = []
        if cores.count == 1, cores.limit == .affinity, ranksOnNode <= 2, processors > ranksOnNode {
            warnings.append(
                family == .mpich
                    ? "this rank is bound to one of \(processors) processors; add --bind-to none to MPICH's mpirun, set "
                        + "I_MPI_PIN=0 for Intel MPI's, or add --cpus-per-task to srun"
                    : "this rank is bound to one of \(processors) processors, as mpirun does for one or two ranks; add "
                        + "--bind-to none to mpirun, or --cpus-per-task to srun")
        }
        if threads > cores.count {
            warnings.append(
                "\(threads) threads share \(cores.count) core(s); set parallel.threads: \(cores.count), or allow more "
                    + "cores with mpirun --bind-to none or srun --cpus-per-task=\(threads)")
        }
        if ranksOnNode > cores.count, cores.count > 1 || cores.limit == .quota {
            warnings.append("\(ranksOnNode) ranks of this node share \(cores.count) core(s); start fewer ranks")
        }
        return warnings + [idleWarning(threads: threads, own: own)].compactMap(\.self)
    }
}
