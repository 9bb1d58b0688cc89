import Adapters
import Backbone
import Backbones
public import Configuration
public import Failures
import Foundation
import Kernels
import MPI
import Runs
import Tensors
import Training

/// `plan`: predicts counts, memory, traffic, mixture and time of a run, without training.
public struct Plan {
    private let configuration: RunConfiguration
    private let shape: any BackboneShape
    private let method: any Method
    private let ranks: Int
    private let ranksPerNode: Int
    /// The largest number of a step's micro-batches that one rank has.
    private let own: Int
    private let threads: Int
    private let products: ProductBackend

    /// Reads the model's shape; the weights need not be there. `threads` are those of a rank, unless the configuration names a
    /// number; nil for an equal share of the cores. `newTasks` are the tasks that the run's origin does not have
    /// (`hyper.onlyNewTasks`); nil to read the origin where that counts.
    public init(
        _ configuration: RunConfiguration, ranks: Int, ranksPerNode: Int, threads: Int? = nil, newTasks: [String]? = nil
    ) throws(Failure) {
        guard ranks >= 1, ranksPerNode >= 1, ranksPerNode <= ranks else {
            throw Failure(.usage, "--ranks and --ranks-per-node must be at least 1, the second at most the first")
        }
        try configuration.checkRanks(ranks)
        self.configuration = configuration
        products = try ProductBackend(configuration)
        self.ranks = ranks
        self.ranksPerNode = ranksPerNode
        shape = try Backbones.shape(directory: configuration.model)
        let new = if let newTasks { newTasks } else { try configuration.newTasks() }
        method = try configuration.method(shape, isNew: true, newTasks: new).method
        // The plan assumes that every node has the cores that this process may use.
        let node = Array(repeating: AvailableCores.ofThisProcess(), count: ranksPerNode)
        own = ThreadChoice.largestShare(
            ofMicroBatches: configuration.globalBatch / configuration.microBatch, ranks: ranks)
        self.threads = ThreadChoice.threads(
            requested: configuration.threads ?? threads, fairShare: AvailableCores.shares(of: node)[0], own: own)
    }

    /// The plan as text.
    public var text: String {
        get throws(Failure) {
            let data = try PlannedData(configuration, shape)
            let memory = try RankMemory(
                configuration, shape: shape, method: method, threads: threads, longestTarget: data.longestTarget,
                batches: data.batches)
            return (warnings(data) + counts() + lines(memory, data) + time(data) + data.lines).joined(separator: "\n")
        }
    }

    private func counts() -> [String] {
        let (trainable, backbone) = (method.trained.count, shape.weightCount)
        let frozen = method.parameters.count - trainable
        let percent = 100 * Double(trainable) / Double(backbone)
        let tasks = configuration.tasks.count
        var lines = [
            "method               \(configuration.method), \(method.siteCount) sites, \(tasks) tasks",
            "backbone             \(backbone) weights",
            "trainable            \(trainable) weights (\(String(format: "%.4f", percent)) %, "
                + "\(String(format: "%.4f", percent / Double(max(tasks, 1)))) % per task)",
        ]
        if frozen > 0 {
            lines.append(
                "frozen               \(frozen) weights of the adapter, without moments and without a part in the sum")
        }
        return lines
    }

    private func lines(_ memory: RankMemory, _ data: PlannedData) -> [String] {
        let format = configuration.weightFormat
        let base = shape.weightBytes(format)
        let shared = base + configuration.packedBytes(products, shape)
        let wire = memory.wireBytes(tasks: configuration.tasks.count)
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
        let parts = [
            "\(Self.mebibytes(RankMemory.processBytes)) MiB of the process",
            "\(Self.mebibytes(memory.stateBytes)) MiB of weights, moments and sums",
            "\(count) snapshots of \(Self.mebibytes(memory.snapshotBytes(1))) MiB",
            "up to \(threads) worker(s) of \(worker) MiB (\(answers); \(usualWorker) MiB for texts as long as the data's)",
        ]
        var lines = [
            "memory per rank      about \(usual) MiB private, up to \(greatest) MiB: \(parts.joined(separator: ", "))",
            "memory per node      \(Self.mebibytes(base)) MiB backbone \(backbone), once, + \(packs) + \(ranksPerNode) x "
                + "\(usual) MiB, up to \(greatest)",
            "wire per step        \(Self.mebibytes(wire)) MiB reduced once by each of \(ranks) rank(s)",
        ]
        lines += snapshotFiles(memory)
        lines.append(prediction(data))
        let tokenising = RankMemory.processBytes + data.rows * RankMemory.rowBytes
        if tokenising > memory.usualBytes ?? 0 {
            lines.append(
                "tokenising           about \(Self.mebibytes(tokenising)) MiB on one rank of each node at the start, where the "
                    + "token cache is not there yet")
        }
        if let warning = memory.warning(ranks: ranksPerNode, shared: shared, limit: .machine) {
            lines.append("warning: \(warning)")
        }
        return lines
    }

    /// What `predict` will need.
    private func prediction(_ data: PlannedData) -> String {
        let memory = PredictionMemory(
            configuration, shape: shape, method: method, longestTarget: data.longestTarget,
            labels: data.labels.filter { $0 <= LineAnswers.mostScored })
        return "memory of predict    up to \(Self.mebibytes(memory.rankBytes)) MiB private a rank and "
            + "\(Self.mebibytes(memory.workerBytes)) MiB for each of its workers, with --scores "
            + "\(Self.mebibytes(memory.scoringBytes)) MiB"
    }

    private func snapshotFiles(_ memory: RankMemory) -> [String] {
        guard configuration.keepsSnapshotFile else { return [] }
        return [
            "snapshot files       2 of \(Self.mebibytes(memory.snapshotBytes(1))) MiB in the run directory, written in turn "
                + "after each step; no more memory"
        ]
    }

    /// What is packed, and what would be packed with the other library if the configuration allows it.
    private var packs: String {
        func size(_ products: ProductBackend, none: String) -> String {
            let bytes = configuration.packedBytes(products, shape)
            return bytes == 0 ? none : "\(Self.mebibytes(bytes)) MiB"
        }
        let isPacked = configuration.packedBytes(products, shape) > 0
        let name = products == .onednn ? "oneDNN" : isPacked ? "products of 8 bits" : "OpenBLAS"
        let own = size(products, none: "nothing") + " packed\(isPacked ? " once" : "") for " + name
        guard configuration.weightFormat == .float32 else { return own }
        let other: ProductBackend = products == .onednn ? .openblas : .onednn
        return own + " (\(size(other, none: "none")) with parallel.gemm: \(other.rawValue))"
    }

    private func warnings(_ data: PlannedData) -> [String] {
        let idle = ThreadChoice.idleWarning(threads: threads, own: own)
        return (configuration.warnings + data.warnings + [idle].compactMap(\.self)).map { "warning: \($0)" }
    }

    /// The number of examples of a step that one thread computes in sequence, when a rank has `own` micro-batches of `micro`
    /// examples: one thread computes a whole micro-batch, and the step waits for the last one.
    static func examplesInTurn(own: Int, threads: Int, micro: Int) -> Int {
        let busy = max(1, min(threads, own))
        return (own + busy - 1) / busy * micro
    }

    /// Predicts the time of a step: its floating-point operations divided by the rate of a product, which is measured now.
    private func time(_ data: PlannedData) -> [String] {
        let time = stepTime(data)
        let target = max(Double(configuration.padTargets ?? 0), data.meanTarget)
        return [
            "step                 about \(String(format: "%.2f", time.seconds)) s or more: "
                + "\(String(format: "%.1f", time.operations / 1e9)) GFLOP an example (mean source "
                + "\(String(format: "%.1f", data.meanSource)) tokens, target \(Int(target.rounded(.up)))), \(time.examples) on a thread in turn, at \(String(format: "%.0f", time.rate / 1e9)) GFLOP/s a core "
                + "measured here, \(ranks) rank(s) x \(threads) thread(s)"
        ]
    }

    /// Seconds of a step, at the least, and the bytes of a checkpoint: for a study, which adds up many runs.
    func forecast() throws(Failure) -> (secondsPerStep: Double, checkpointBytes: Int) {
        let data = try PlannedData(configuration, shape)
        let memory = try RankMemory(
            configuration, shape: shape, method: method, threads: threads, longestTarget: data.longestTarget,
            batches: nil)
        return (stepTime(data).seconds, memory.snapshotBytes(1))
    }

    /// The examples that a thread computes in turn, the operations of each, and the rate of a core.
    private func stepTime(
        _ data: PlannedData
    ) -> (seconds: Double, operations: Double, examples: Int, rate: Double) {
        let target = max(Double(configuration.padTargets ?? 0), data.meanTarget)
        // The gradients of all weights take as much as those of the inputs.
        let weights = configuration.trainsWholeModel ? 1.5 : 1
        let perExample = weights * shape.operations(source: data.meanSource, target: target)
        let rate = Self.measuredRate()
        let examples = Self.examplesInTurn(own: own, threads: threads, micro: configuration.microBatch)
        return (perExample * Double(examples) / rate, perExample, examples, rate)
    }

    private static func measuredRate() -> Double {
        let (m, n, k) = (256, 768, 768)
        let memory = Arena(count: m * k + n * k + m * n)
        // The views do not keep the memory alive.
        defer { withExtendedLifetime(memory) {} }
        let a = memory.readOnly.matrix(at: 0, rows: m, columns: k)
        let b = memory.readOnly.matrix(at: m * k, rows: n, columns: k)
        let c = memory.matrix(at: m * k + n * k, rows: m, columns: n)
        var best = Double.infinity
        for _ in 0..<8 {
            let begun = ContinuousClock.now
            gemm(.asIs(a), .transposed(b), into: c)
            best = min(best, ProgressLine.seconds(begun.duration(to: .now)))
        }
        return 2 * Double(m * n * k) / best
    }

    private static func mebibytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / 1_048_576) }
}
