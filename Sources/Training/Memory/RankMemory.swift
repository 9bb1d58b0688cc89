package import Backbone
package import Configuration
package import Failures
import Foundation
import Kernels
package import Tensors

/// The private memory of a rank that trains, computed from shapes and the lengths of its batches.
package struct RankMemory {
    /// What a process needs in addition to what is counted here: MPI, BLAS, vocabulary and heap. Measured as the private
    /// resident memory of runs with small models.
    package static let processBytes = 16 << 20
    /// What a worker needs: its stack, its part of BLAS, and the last page of its workspace, which may be a huge page.
    static let threadBytes = 2 << 20
    /// What a row of a file, and each token of its source, needs while it is tokenised; measured.
    static let (rowBytes, tokenBytes) = (200, 8)

    /// What tokenising rows with so many tokens in all needs.
    package static func tokenisingBytes(rows: Int, tokens: Int) -> Int {
        processBytes + rows * rowBytes + tokens * tokenBytes
    }

    /// Bytes of a weight of the adapter in a rank, in each snapshot, and of its gradient in each worker, whether it is trained or
    /// frozen.
    static let bytesOfWeight = 4
    /// Bytes of both moments of a trained weight in a rank and in each snapshot.
    static let bytesOfMoments = 2 * 4

    /// The smallest number of bytes with which a method can be trained: one worker and one snapshot.
    static func leastBytes(_ method: any Method, _ sum: GradientSum) -> Double {
        Double(method.parameters.count) * Double(3 * bytesOfWeight)
            + Double(method.trained.count) * Double(2 * bytesOfMoments + sum.bytes)
    }

    /// Bytes when only answers are computed.
    static func answeringBytes(_ method: any Method) -> Double {
        Double(method.parameters.count) * Double(bytesOfWeight)
    }

    /// All weights of the adapter.
    package let weights: Int
    /// Those that training changes.
    package let trainables: Int
    private let sum: GradientSum
    /// Bytes of the running averages of the tasks' gradients, in a rank and in each snapshot.
    let averageBytes: Int
    /// Bytes of the sums of the tasks' gradients.
    let taskSumBytes: Int
    /// Whether these are summed over the ranks in every step.
    private let sumsEveryStep: Bool
    let threads: Int
    /// How many snapshots rank 0 will have: the last step; that of the best evaluation, once there is one; and one that is
    /// being written during the next steps. Other ranks write none.
    package let snapshots: ClosedRange<Int>
    /// Largest number of bytes of a worker, without its gradients, whatever the texts are.
    let most: Int
    /// The same for the lengths in the data; nil when they are not known.
    let usual: Int?
    /// What MPI may take while it sums gradients over the ranks: a copy of what it sums at once. It was not seen with Open MPI on one
    /// node, so it counts in the most alone.
    package let exchangeBytes: Int
    /// Largest size of a workspace in bytes.
    package let workspace: Int

    /// Typical batches of a run.
    package struct Batches {
        /// Micro-batches.
        var training: [BatchLengths] = []
        /// Evaluation batches, and the tokens of the longest answer.
        var answering: [(lengths: BatchLengths, steps: Int)] = []
    }

    /// - Parameters:
    ///   - ranks: ranks of the job.
    ///   - longestTarget: tokens of the longest target of any task.
    ///   - batches: the batches in the data; nil when they are not known.
    package init(
        _ configuration: RunConfiguration, shape: any BackboneShape, method: any Method, threads: Int,
        ranks: Int = 1, longestTarget: Int, batches: Batches?
    ) throws(Failure) {
        weights = method.parameters.count
        trainables = method.trained.count
        sum = configuration.reduction.sum
        let perTask = trainables * configuration.tasks.count
        averageBytes = configuration.averagesGradients ? perTask * Self.bytesOfWeight : 0
        taskSumBytes = configuration.sumsGradientsByTask ? perTask * MemoryLayout<Int64>.stride : 0
        sumsEveryStep = configuration.conflict == .pcgrad
        self.threads = threads
        exchangeBytes = ranks > 1 ? sum.bytes * min(trainables, GradientBuckets.usualMost) : 0
        let best = configuration.evaluateEvery.map { $0 < configuration.steps } ?? false
        let saves = best || configuration.checkpointEvery.map { $0 < configuration.steps } ?? false
        snapshots = (best ? 2 : 1)...(1 + (best ? 1 : 0) + (saves ? 1 : 0))
        let answer = configuration.maxNewTokens ?? max(4, longestTarget, configuration.maxTarget ?? 0)
        let target = max(longestTarget, configuration.padTargets ?? 0)
        try Self.checkSize(configuration, shape, tokens: configuration.maxSource + target + answer)
        let footprint = method.footprint
        func training(_ lengths: BatchLengths) -> Int {
            shape.trainingBytes(lengths, footprint)
        }
        func answering(_ lengths: BatchLengths, _ steps: Int) -> Int {
            shape.answeringBytes(lengths, steps: steps, targets: 0, footprint)
        }
        let widest = BatchLengths(
            examples: configuration.microBatch, source: configuration.maxSource, target: target)
        let widestAnswers = BatchLengths(
            examples: configuration.evaluationBatch, source: configuration.maxSource, target: 0)
        workspace = max(training(widest), configuration.evaluates ? answering(widestAnswers, answer) : 0)
        let expanded = configuration.weightFormat == .float32 ? 0 : FrozenProducts.expandedBytes
        let rounding = RoundingMemory(configuration, shape, training: true)
        let rows = max(
            widest.sourceRows, widest.targetRows, configuration.evaluates ? widestAnswers.sourceRows : 0)
        most = workspace + expanded + rounding.bytes(rows: rows)
        usual = batches.map { batches in
            let answers = configuration.evaluates ? batches.answering : []
            let workspace = max(
                batches.training.map(training).max() ?? 0, answers.map { answering($0.lengths, $0.steps) }.max() ?? 0)
            let rows = max(
                batches.training.map { max($0.sourceRows, $0.targetRows) }.max() ?? 0,
                answers.map(\.lengths.sourceRows).max() ?? 0)
            return workspace + expanded + rounding.bytes(rows: rows)
        }
    }

    /// Weights, moments, averages and sums of the rank.
    package var stateBytes: Int {
        weights * Self.bytesOfWeight + trainables * (Self.bytesOfMoments + sum.bytes) + averageBytes + taskSumBytes
    }

    /// Bytes that a step with this number of tasks sums over the ranks.
    package func wireBytes(tasks: Int) -> Int {
        StepSums(parameters: trainables, tasks: tasks, gradients: sum).bytes + (sumsEveryStep ? taskSumBytes : 0)
    }

    /// Bytes of `count` snapshots.
    package func snapshotBytes(_ count: Int) -> Int {
        (weights * Self.bytesOfWeight + trainables * Self.bytesOfMoments + averageBytes) * count
    }

    /// Largest total number of bytes of a worker.
    package var mostOfWorker: Int { most + Self.threadBytes + weights * Self.bytesOfWeight }

    /// The same for the lengths in the data.
    package var usualOfWorker: Int? { usual.map { $0 + Self.threadBytes + weights * Self.bytesOfWeight } }

    /// Largest total number of bytes of the rank.
    package var mostBytes: Int {
        Self.processBytes + stateBytes + exchangeBytes + snapshotBytes(snapshots.upperBound) + threads * mostOfWorker
    }

    /// The same for the lengths in the data; nil when they are not known.
    package var usualBytes: Int? {
        usualOfWorker.map {
            Self.processBytes + stateBytes + snapshotBytes(snapshots.lowerBound) + threads * $0
        }
    }

    /// Refuses sizes whose number of bytes does not fit in an integer: no width of the model, and no part of attention, may be
    /// larger than these.
    private static func checkSize(
        _ configuration: RunConfiguration, _ shape: any BackboneShape, tokens: Int
    ) throws(Failure) {
        let examples = max(configuration.microBatch, configuration.evaluationBatch)
        let heads = shape.heads * shape.blockCount
        let widths = Double(shape.weightCount) + Double(heads) * Double(tokens)
        guard Double(examples) * Double(tokens) * widths < 0x1p56 else {
            throw Failure(
                .badConfiguration,
                "batches of \(examples) x \(configuration.maxSource) tokens take more memory with this model than there "
                    + "is; lower batch.micro, eval.batch or data.maxSource")
        }
    }

    /// A warning when the ranks of a node need more memory than the node has or than they may use.
    ///
    /// - Parameters:
    ///   - ranks: ranks of the node.
    ///   - shared: bytes that the ranks share: the backbone and its packed weights.
    ///   - packing: bytes of a rank while it packs weights, if that is still to come.
    ///   - limit: the memory that the ranks may use.
    package func warning(ranks: Int, shared: Int, packing: Int = 0, limit: MemoryLimit) -> String? {
        func node(_ rank: Int) -> Double { Double(shared) + Double(ranks) * Double(rank) }
        let most = node(max(mostBytes, packing))
        guard most > Double(limit.bytes) else { return nil }
        guard packing <= mostBytes else {
            return
                "a node needs up to \(Self.gibibytes(most)) GiB while weights are packed, and \(limit.name) has "
                + "\(Self.gibibytes(Double(limit.bytes))) GiB of memory; use fewer ranks per node, or lower parallel.threads, or set "
                + "parallel.gemm: openblas with model.products: float32, which packs nothing"
        }
        let usual = usualBytes.map(node) ?? 0
        let about = usual > Double(limit.bytes) ? "about \(Self.gibibytes(usual)) GiB, " : ""
        return
            "a node needs \(about)up to \(Self.gibibytes(most)) GiB, and \(limit.name) has "
            + "\(Self.gibibytes(Double(limit.bytes))) GiB of memory; use fewer ranks per node, or lower parallel.threads, "
            + "batch.micro, eval.batch or data.maxSource"
    }

    /// A warning when this process needs, or may need, more addresses than its limit allows. It uses `inUse` bytes of addresses
    /// now, which contain weights and moments but nothing else of what is counted here.
    func warning(addresses limit: MemoryLimit?, inUse: Int) -> String? {
        guard let limit else { return nil }
        let most = Double(inUse) + Double(mostBytes - Self.processBytes - snapshotBytes(1))
        guard most > Double(limit.bytes) else { return nil }
        return
            "this process needs up to \(Self.gibibytes(most)) GiB of addresses, and \(limit.name) allows "
            + "\(Self.gibibytes(Double(limit.bytes))); raise it, or lower parallel.threads, batch.micro, eval.batch or "
            + "data.maxSource"
    }

    private static func gibibytes(_ bytes: Double) -> String { String(format: "%.1f", bytes / 0x1p30) }
}
