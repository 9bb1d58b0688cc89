import Adapters
import CAllocations
import Dispatch
import Failures
import Kernels
import MPI
import Optimizers
import T5
import Tasks
import Tensors
import Training

/// `step`: whole training steps of a real model on examples of given lengths.
public struct StepBenchmark {
    /// What is measured.
    public struct Request: Sendable {
        /// Hugging Face T5 directory.
        public var model: String
        /// File of token lengths.
        public var lengths: String
        /// The method's name.
        public var method = "unolora"
        /// Global batch.
        public var batch = 32
        /// Micro-batch.
        public var micro = 4
        /// Workers of each rank.
        public var threads = 2
        /// LoRA rank.
        public var rank = 8
        /// Measured steps.
        public var steps = 10
        /// What computes the products with frozen weights.
        public var products: ProductBackend
        /// Precision of packed weights.
        public var packs = FrozenMatrix.Packs()
        /// Dropout at T5's places and in the adapter.
        public var dropout = 0.1

        /// A request with the other values at their defaults.
        public init(model: String, lengths: String, products: ProductBackend) {
            self.model = model
            self.lengths = lengths
            self.products = products
        }
    }

    /// What was measured; one JSON object.
    public struct Report: Encodable, Sendable {
        var benchmark = "step"
        var model: String
        var method: String
        var gemm: String
        /// Of forward and input gradients.
        var precision: String
        var ranks: Int
        var threads: Int
        var batch: Int
        var micro: Int
        var dropout: Double
        /// Examples a second of all ranks: global batch over the median step.
        var examplesPerSecond: Double
        /// Source and target tokens a second.
        var tokensPerSecond: Double
        var stepSeconds: Spread
        /// What the products with frozen weights of the same micro-batches take when nothing else is done, weights coming
        /// from memory as in the step.
        var gemmSeconds: Spread
        /// `gemmSeconds` over `stepSeconds`, of the medians.
        var gemmShare: Double
        var gemmGigaflopsPerSecond: Double
        var pageFaultsPerStep: Double
        /// Calls of malloc and its relatives.
        var allocationsPerStep: Double
        var memory: ProcessMemory
    }

    private let request: Request
    private let world: Communicator

    /// Prepares the benchmark on all ranks.
    public init(_ request: Request, world: Communicator) {
        self.request = request
        self.world = world
    }

    /// Measures; collective.
    public func callAsFunction() throws(Failure) -> Report {
        let lengths = try TokenLengths(path: request.lengths)
        let node = try world.nodeCommunicator()
        let memory: (Int) throws(Failure) -> any FrozenMemory = { size throws(Failure) in
            try NodeMemory(node, byteCount: size)
        }
        let model = try T5Model.load(
            directory: request.model, maximumLength: lengths.longest,
            packing: request.products.packing(request.packs, memory: memory), convertedMemory: memory)
        guard let method = LowRankOptions.Method(rawValue: request.method) else {
            throw Failure(.usage, "--method \(request.method) is unknown; use unolora, unolora_star or lora_per_task")
        }
        let tasks = 8
        var options = LowRankOptions(method: method, rankA: request.rank, alpha: 2 * Double(request.rank), tasks: tasks)
        options.dropout = request.dropout
        let state = TrainState(layout: LowRankLayout(options: options, configuration: model.configuration), seed: 1)
        let examples = RandomExamples(lengths, vocabulary: model.configuration.vocabularySize, seed: 1)
        let names = (0..<tasks).map { "task\($0)" }
        let sampler = try Sampler(
            seed: 1, mixture: Mixture(tasks: names.map { ($0, examples.count) }), granularity: .example,
            batch: request.batch, micro: request.micro)
        let trainer = Trainer(
            model: model, state: state, examples: examples, sampler: sampler, taskNames: names,
            options: TrainOptions(
                seed: 1, microBatch: request.micro, dropout: request.dropout,
                schedule: LearningRateSchedule(peak: 1e-4, warmup: 0, steps: 1000, decay: .constant)),
            threads: request.threads, communicator: world)
        return try measure(trainer, model, options, examples, sampler)
    }

    private func measure(
        _ trainer: Trainer, _ model: T5Model, _ options: LowRankOptions, _ examples: RandomExamples, _ sampler: Sampler
    ) throws(Failure) -> Report {
        let warmup = 2
        var sampler = sampler
        var (steps, replays, operations, tokens) = ([Double](), [Double](), 0.0, 0)
        let replay = FrozenReplay(model: model, options: options, threads: request.threads)
        for _ in 0..<warmup { _ = try trainer.step() }
        for _ in 0..<warmup { _ = sampler.next() }
        let (faults, allocations) = (ProcessMemory.pageFaults, callocations_count())
        var counted = (faults: 0, allocations: 0)
        for _ in 0..<request.steps {
            try world.barrier()
            let begun = ContinuousClock.now
            let result = try trainer.step()
            steps.append(begun.duration(to: .now).inSeconds)
            tokens += result.tasks.reduce(0) { $0 + Int($1.tokens + $1.sourceTokens) }
            counted = (ProcessMemory.pageFaults - faults, callocations_count() - allocations)
        }
        for _ in 0..<request.steps {
            let mine = trainer.microBatchRows(sampler.next())
            try world.barrier()
            let measured = replay.run(mine)
            replays.append(measured.seconds)
            operations += measured.operations
        }
        let (step, gemm) = (Spread(steps), Spread(replays))
        return Report(
            model: request.model, method: request.method,
            gemm: request.products.version,
            precision: "\(request.packs.forward.rawValue)/\(request.packs.backward?.rawValue ?? "-")",
            ranks: world.size,
            threads: request.threads, batch: request.batch, micro: request.micro, dropout: request.dropout,
            examplesPerSecond: Double(request.batch) / step.median,
            tokensPerSecond: Double(tokens) / steps.reduce(0, +), stepSeconds: step, gemmSeconds: gemm,
            gemmShare: gemm.median / step.median,
            gemmGigaflopsPerSecond: operations / replays.reduce(0, +) * 1e-9,
            pageFaultsPerStep: Double(counted.faults) / Double(request.steps),
            allocationsPerStep: Double(counted.allocations) / Double(request.steps), memory: ProcessMemory())
    }
}

/// Runs the products with frozen weights of some micro-batches and nothing else, on as many threads as a step.
final class FrozenReplay: @unchecked Sendable {
    private let pass: FrozenPass
    private let threads: Int
    private let workers: [(products: FrozenProducts, workspace: Workspace)]

    init(model: T5Model, options: LowRankOptions, threads: Int) {
        let layout = LowRankLayout(options: options, configuration: model.configuration)
        let adaptation = LowRankAdaptation(
            layout: layout, weights: Arena(count: layout.parameters.count), gradients: nil)
        pass = FrozenPass(model: model, adaptation: adaptation)
        self.threads = threads
        workers = (0..<threads).map { _ in (FrozenProducts(model.packing), Workspace()) }
    }

    /// Seconds and operations for micro-batches of so many source and target rows, shared out as they come.
    func run(_ microBatches: [(source: Int, target: Int)]) -> (seconds: Double, operations: Double) {
        let next = SharedCounter()
        let elapsed = seconds {
            DispatchQueue.concurrentPerform(iterations: threads) { worker in
                while true {
                    let index = next.take()
                    guard index < microBatches.count else { return }
                    compute(microBatches[index], workers[worker])
                }
            }
        }
        let operations = microBatches.reduce(0) { sum, rows in
            pass.products.reduce(sum) { $0 + $1.operations(rows: $1.isTarget ? rows.target : rows.source) }
        }
        return (elapsed, operations)
    }

    private func compute(
        _ rows: (source: Int, target: Int), _ worker: (products: FrozenProducts, workspace: Workspace)
    ) {
        for product in pass.products {
            worker.workspace.reset()
            let count = product.isTarget ? rows.target : rows.source
            let narrow = worker.workspace.matrix(count, product.matrix.inputWidth)
            let wide = worker.workspace.matrix(count, product.matrix.outputWidth)
            if product.isBackward {
                product.matrix.multiplyTransposed(wide, into: narrow, worker.products)
            } else {
                product.matrix.multiply(narrow, into: wide, worker.products)
            }
        }
    }
}
