import Adapters
import Backbone
import Backbones
import Failures
public import Kernels
import MPI
import Optimizers
import Tasks
public import Training

/// A part of a low-rank adapter that may stay as it began.
public enum FrozenPart: String, Sendable, CaseIterable {
    case a = "A"
    case b = "B"
    case hypernetwork
    /// Everything of the hypernetwork but the first task's embedding.
    case oldTasks
}

/// What a benchmark trains, without the examples: a model, a method and how a step is computed.
public struct Workload: Sendable {
    /// Hugging Face T5 directory.
    public var model: String
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
    /// The library that computes the products with frozen weights.
    public var products: ProductBackend
    /// How frozen weights are stored.
    public var format = WeightFormat.float32
    /// The kinds of products for which weights are packed.
    public var packs = FrozenMatrix.Packs()
    /// Dropout rate at T5's places and in the adapter.
    public var dropout = 0.1
    /// Parts of a low-rank adapter that stay as they began.
    public var frozen: Set<FrozenPart> = []
    /// How gradients are summed.
    public var gradientSum = GradientSum.exact
    /// Whether gradients are summed over the ranks while others are computed; MPI must allow several threads for that.
    public var overlaps = false

    /// A workload with defaults for all other values.
    public init(model: String, products: ProductBackend) {
        self.model = model
        self.products = products
    }

    /// Number format of forward and input gradients, for a report.
    var precision: String {
        format != .float32 ? format.rawValue : "\(packs.forward?.rawValue ?? "-")/\(packs.backward?.rawValue ?? "-")"
    }

    /// Opens the model for sources and targets of at most `longest` tokens; collective.
    func openModel(longest: Int, world: Communicator) throws(Failure) -> any Backbone {
        // The method is checked before the weights are packed.
        try world.rankZeroFirst { () throws(Failure) in _ = try method(tasks: 1, on: Backbones.shape(directory: model))
        }
        try Agreement.check(
            [.loops(by: "\(products.version), \(precision)")], world: world)
        let node = try world.nodeCommunicator()
        let memory: (Int) throws(Failure) -> any FrozenMemory = { size throws(Failure) in
            try NodeMemory(node, byteCount: size, for: "packed weights")
        }
        return try Backbones.open(
            directory: model, maximumLength: longest, format: format,
            packing: products.packing(packs, threads: threads, memory: memory),
            convertedMemory: memory)
    }

    /// The method for `tasks` tasks; throws `usage` for an unknown name.
    func method(tasks: Int, on shape: any BackboneShape) throws(Failure) -> any Method {
        guard MethodTable.standard.names.contains(method) else {
            throw Failure(
                .usage,
                "--method \(method) is unknown; use one of \(MethodTable.standard.names.joined(separator: ", "))")
        }
        var adapter = AdapterConfiguration(method: method, rank: rank, alpha: 2 * Double(rank), tasks: tasks)
        adapter.loraDropout = dropout
        (adapter.loraFreezeA, adapter.loraFreezeB) = (frozen.contains(.a), frozen.contains(.b))
        adapter.hyperFreeze = frozen.contains(.hypernetwork)
        if frozen.contains(.oldTasks) { adapter.hyperTrainedTasks = [0] }
        return try MethodTable.standard.method(adapter, on: shape, from: .file(path: "--rank")).method
    }

    /// A trainer on examples of named tasks, which are drawn in proportion to their numbers of examples.
    func trainer(
        _ model: any Backbone, _ examples: any TrainingExamples, tasks: [(name: String, examples: Int)],
        world: Communicator
    ) throws(Failure) -> MeasuredTrainer {
        let state = TrainState(try method(tasks: tasks.count, on: model.shape), on: model, seed: 1)
        let mixture = try Mixture(tasks: tasks)
        // Each caller gets its own sampler: a shared one would copy its memory when it draws.
        let sampler = { [batch, micro] () throws(Failure) in
            try Sampler(seed: 1, mixture: mixture, granularity: .example, batch: batch, micro: micro)
        }
        let trainer = try Trainer(
            state: state, examples: examples, sampler: sampler(), taskNames: tasks.map(\.name),
            options: TrainOptions(
                seed: 1, microBatch: micro, dropout: dropout,
                schedule: LearningRateSchedule(peak: 1e-4, warmup: 0, steps: 1000, decay: .constant),
                gradientSum: gradientSum),
            threads: threads, communicator: world, overlaps: overlaps)
        return MeasuredTrainer(trainer: trainer, sampler: sampler, world: world)
    }

    /// Like the other `trainer`, on random tokens of given lengths in eight tasks.
    func trainer(
        _ model: any Backbone, _ lengths: TokenLengths, world: Communicator
    ) throws(Failure) -> MeasuredTrainer {
        let examples = RandomExamples(lengths, vocabulary: model.shape.vocabularySize, seed: 1)
        return try trainer(
            model, examples, tasks: (0..<8).map { ("task\($0)", examples.count) }, world: world)
    }
}

/// A trainer whose steps are timed.
struct MeasuredTrainer {
    let trainer: Trainer
    /// Creates another sampler like the trainer's, at step 0.
    let sampler: () throws(Failure) -> Sampler
    let world: Communicator

    /// Makes the steps that are not measured, and returns their number. After two steps the workspaces have the memory that
    /// they need. On a busy machine it makes more steps until every worker has taken part: a small step may be over before a
    /// thread has got a core.
    @discardableResult
    func warmUp() throws(Failure) -> Int {
        var steps = 0
        var isReady: Int64 = 0
        while steps < 2 || (steps < 1_000 && isReady == 0) {
            _ = try trainer.step()
            steps += 1
            isReady = try world.allReduce(.minimum, trainer.hasUsedAllWorkers ? 1 : 0)
        }
        return steps
    }

    /// Makes one step that all ranks begin together, and returns its time in seconds.
    func step() throws(Failure) -> (seconds: Double, result: StepResult) {
        try world.barrier()
        let begun = ContinuousClock.now
        let result = try trainer.step()
        return (begun.duration(to: .now).inSeconds, result)
    }
}
