import Adapters
import Configuration
import Failures
import Foundation
import Kernels
import MPI
import T5
import Tasks
import Tensors
import Text

/// `plan`: counts, memory, traffic, mixture and time of a run, without training.
public struct Plan {
    private let configuration: RunConfiguration
    private let shape: T5Configuration
    private let layout: LowRankLayout
    private let ranks: Int
    private let ranksPerNode: Int
    /// The most micro-batches of a step that a rank has.
    private let own: Int
    private let threads: Int
    private let products: ProductBackend

    /// Reads the model's shape; the weights need not be there.
    public init(_ configuration: RunConfiguration, ranks: Int, ranksPerNode: Int) throws(Failure) {
        guard ranks >= 1, ranksPerNode >= 1, ranksPerNode <= ranks else {
            throw Failure(.usage, "--ranks and --ranks-per-node must be at least 1, the second at most the first")
        }
        try configuration.checkRanks(ranks)
        self.configuration = configuration
        products = try ProductBackend(configuration)
        self.ranks = ranks
        self.ranksPerNode = ranksPerNode
        shape = try T5Configuration(directory: configuration.model)
        layout = try configuration.lowRankLayout(shape)
        // As if every node had the cores that this process may use.
        let node = Array(repeating: AvailableCores.ofThisProcess(), count: ranksPerNode)
        own = ThreadChoice.largestShare(
            ofMicroBatches: configuration.globalBatch / configuration.microBatch, ranks: ranks)
        threads = ThreadChoice.threads(
            requested: configuration.threads, fairShare: AvailableCores.shares(of: node)[0], own: own)
    }

    /// The plan as text.
    public var text: String {
        get throws(Failure) {
            let data = try dataLines()
            let memory = try memory(longestTarget: data.longestTarget)
            return (warnings + counts() + memory + time(data) + data.lines).joined(separator: "\n")
        }
    }

    private func counts() -> [String] {
        let (trainable, backbone) = (layout.parameters.count, shape.weightCount)
        let percent = 100 * Double(trainable) / Double(backbone)
        let tasks = configuration.tasks.count
        return [
            "method               \(configuration.method), \(layout.siteNames.count) sites, \(tasks) tasks",
            "backbone             \(backbone) weights",
            "trainable            \(trainable) weights (\(String(format: "%.4f", percent)) %, "
                + "\(String(format: "%.4f", percent / Double(max(tasks, 1)))) % per task)",
        ]
    }

    /// What a process takes beside what is counted: MPI, BLAS, vocabulary and heap, as private resident memory of a run of
    /// a small model was measured.
    private static let processBytes = 48 << 20

    private func memory(longestTarget: Int) throws(Failure) -> [String] {
        let trainable = layout.parameters.count
        let workspace = try workspace(longestTarget: longestTarget)
        // A worker: workspace, gradients and exact sums. A rank: weights, both moments, the gradient and the buffer.
        let format = configuration.weightFormat
        let expanded = format == .bfloat16 ? FrozenProducts.expandedBytes : 0
        let worker = workspace + trainable * 12 + expanded + roundedBytes
        let rank = Self.processBytes + trainable * (4 * 4 + 8) + threads * worker
        let base = shape.weightBytes(format)
        let shared = base + packedBytes(products)
        let wire = (trainable + configuration.tasks.count * 4 + 5) * 8
        return [
            "memory per rank      about \(Self.mebibytes(rank)) MiB private: \(Self.mebibytes(Self.processBytes)) MiB of the "
                + "process, weights and moments, \(threads) worker(s) of \(Self.mebibytes(worker)) MiB (the larger of "
                + "training on \(configuration.microBatch) x \(configuration.maxSource) tokens and answering "
                + "\(configuration.evaluationBatch) x \(configuration.maxSource))",
            "memory per node      \(Self.mebibytes(base)) MiB backbone \(format == .float32 ? "mapped" : "in bfloat16"), once, "
                + "+ \(packs) + \(ranksPerNode) x "
                + "\(Self.mebibytes(rank)) MiB",
            "wire per step        \(Self.mebibytes(wire)) MiB reduced once by each of \(ranks) rank(s)",
        ] + Self.memoryWarning(node: Double(shared) + Double(ranksPerNode) * Double(rank), has: Self.machineMemory)
    }

    /// Bytes that a node's packed weights take with `products`: the projections for the forward and for the backward, and
    /// with oneDNN the output matrix for both.
    private func packedBytes(_ products: ProductBackend) -> Int {
        let float = products == .onednn ? 4 : 0
        let quantises = configuration.quantises
        let bytes = (quantises.forward ? 1 : float) + (quantises.backward ? 1 : float)
        let projections = shape.projectionGroups().reduce(0) { $0 + $1.inputWidth * $1.outputWidth }
        return bytes * projections + 2 * float * shape.vocabularySize * shape.modelWidth
    }

    /// What is packed, and what would be with the other library where the configuration could have it.
    private var packs: String {
        func size(_ products: ProductBackend, none: String) -> String {
            let bytes = packedBytes(products)
            return bytes == 0 ? none : "\(Self.mebibytes(bytes)) MiB"
        }
        let name =
            products == .onednn ? "oneDNN" : packedBytes(products) == 0 ? "OpenBLAS" : "products of 8 bits"
        let own = size(products, none: "nothing") + " packed\(packedBytes(products) == 0 ? "" : " once") for " + name
        guard configuration.weightFormat == .float32 else { return own }
        let other: ProductBackend = products == .onednn ? .openblas : .onednn
        return own + " (\(size(other, none: "none")) with parallel.gemm: \(other.rawValue))"
    }

    /// Bytes of a worker's rows that are rounded to 8 bits, each number in up to two: the widest operand of the largest batch.
    private var roundedBytes: Int {
        let quantises = configuration.quantises
        let widest = shape.projectionGroups().map {
            max(quantises.forward ? $0.inputWidth : 0, quantises.backward ? $0.outputWidth : 0)
        }
        let examples = max(configuration.microBatch, configuration.evaluationBatch)
        return (widest.max() ?? 0) * examples * configuration.maxSource * 2
    }

    /// Bytes of a worker's workspace once it has seen the largest micro-batch and the largest evaluation batch.
    private func workspace(longestTarget: Int) throws(Failure) -> Int {
        let target = max(longestTarget, configuration.padTargets ?? 0)
        let answer = configuration.maxNewTokens ?? max(4, longestTarget)
        let examples = max(configuration.microBatch, configuration.evaluationBatch)
        // No width of the model, and no part of attention, is beyond these; what they make must be a whole number.
        let tokens = Double(configuration.maxSource + target + answer)
        let heads = shape.heads * (shape.encoderBlocks + shape.decoderBlocks)
        let widths = Double(shape.weightCount) + Double(heads) * tokens
        guard Double(examples) * tokens * widths < 0x1p56 else {
            throw Failure(
                .badConfiguration,
                "batches of \(examples) x \(configuration.maxSource) tokens take more memory with this model than there "
                    + "is; lower batch.micro, eval.batch or data.maxSource")
        }
        let training = Footprint(
            configuration: shape, examples: configuration.microBatch, source: configuration.maxSource, target: target,
            method: layout.footprint)
        let generation = GenerationFootprint(
            configuration: shape, examples: configuration.evaluationBatch, source: configuration.maxSource,
            steps: answer, method: layout.footprint)
        return max(training.trainingBytes, generation.bytes)
    }

    private var warnings: [String] {
        (configuration.warnings + [ThreadChoice.idleWarning(threads: threads, own: own)].compactMap(\.self))
            .map { "warning: \($0)" }
    }

    /// The examples of a step that one thread computes after each other, when a rank has `own` micro-batches of `micro`
    /// examples: each micro-batch is one thread's, and the step waits for the last.
    static func examplesInTurn(own: Int, threads: Int, micro: Int) -> Int {
        let busy = max(1, min(threads, own))
        return (own + busy - 1) / busy * micro
    }

    /// What the files say, when they can be read.
    private func dataLines() throws(Failure) -> Data {
        let definitions = try configuration.definitions()
        let vocabulary = try RunModel.openVocabulary(configuration.model, shape)
        var counts: [(name: String, examples: Int)] = []
        var (tokens, texts, longest) = (0, 0, 0)
        for definition in definitions {
            let examples = try TaskExamples(definition, options: configuration.readingOptions)
            counts.append((definition.name, examples.count(.train)))
            longest = max(longest, try TargetTable(definition, vocabulary).longest)
            for index in 0..<min(200, examples.count(.train)) {
                let example = try examples.example(.train, index)
                tokens += min(try vocabulary.encode(example.source).count + 1, configuration.maxSource)
                texts += 1
            }
        }
        let mixture = try Mixture(
            tasks: counts, temperature: configuration.temperature, cap: configuration.samplerCap)
        var lines = ["task              examples    share  expected passes"]
        for entry in mixture.entries {
            let passes = entry.expectedPasses(steps: configuration.steps, batch: configuration.globalBatch)
            lines.append(
                entry.task.padding(toLength: 16, withPad: " ", startingAt: 0)
                    + String(format: "%10d  %7.4f  %15.2f", entry.examples, entry.share, passes))
        }
        return Data(lines: lines, longestTarget: longest, meanSource: Double(tokens) / Double(max(texts, 1)))
    }

    private struct Data {
        let lines: [String]
        let longestTarget: Int
        let meanSource: Double
    }

    /// Floating-point operations of a step over the rate of a product that is measured now.
    private func time(_ data: Data) -> [String] {
        let encoder = Double(shape.encoderBlocks * (4 * shape.modelWidth * shape.innerWidth + feedForward))
        let crossMemory = Double(shape.decoderBlocks * 2 * shape.modelWidth * shape.innerWidth)
        let decoder = Double(shape.decoderBlocks * (6 * shape.modelWidth * shape.innerWidth + feedForward))
        let output = Double(shape.vocabularySize * shape.modelWidth)
        let target = Double(max(configuration.padTargets ?? 0, data.longestTarget))
        // Forward and input gradients: 2 operations a weight each.
        let perExample = 4 * (data.meanSource * (encoder + crossMemory) + target * (decoder + output))
        let rate = Self.measuredRate()
        let examples = Self.examplesInTurn(own: own, threads: threads, micro: configuration.microBatch)
        let seconds = perExample * Double(examples) / rate
        return [
            "step                 about \(String(format: "%.2f", seconds)) s or more: "
                + "\(String(format: "%.1f", perExample / 1e9)) GFLOP an example (mean source "
                + "\(String(format: "%.1f", data.meanSource)) tokens, target \(Int(target))), \(examples) on a thread in turn, at \(String(format: "%.0f", rate / 1e9)) GFLOP/s a core "
                + "measured here, \(ranks) rank(s) x \(threads) thread(s)"
        ]
    }

    private var feedForward: Int {
        (shape.feedForward == .relu ? 2 : 3) * shape.modelWidth * shape.feedForwardWidth
    }

    private static func measuredRate() -> Double {
        let (m, n, k) = (256, 768, 768)
        let memory = Arena(count: m * k + n * k + m * n)
        let a = Matrix(memory.base, rows: m, columns: k)
        let b = Matrix(memory.base + m * k, rows: n, columns: k)
        let c = Matrix(memory.base + m * k + n * k, rows: m, columns: n)
        var best = Double.infinity
        for _ in 0..<8 {
            let begun = ContinuousClock.now
            gemm(.asIs(a), .transposed(b), into: c)
            best = min(best, ProgressLine.seconds(begun.duration(to: .now)))
        }
        return 2 * Double(m * n * k) / best
    }

    private static var machineMemory: UInt64 { ProcessInfo.processInfo.physicalMemory }

    /// What to say where the ranks of a node need more memory than the machine has.
    static func memoryWarning(node bytes: Double, has memory: UInt64) -> [String] {
        guard bytes > Double(memory) else { return [] }
        let (needed, there) = (String(format: "%.1f", bytes / 0x1p30), String(format: "%.1f", Double(memory) / 0x1p30))
        return [
            "warning: a node needs up to \(needed) GiB, and this machine has \(there) GiB of memory; use fewer ranks per "
                + "node, or lower parallel.threads, batch.micro or data.maxSource"
        ]
    }

    private static func mebibytes(_ bytes: Int) -> String { String(format: "%.1f", Double(bytes) / 1_048_576) }
}
