import Adapters
import Backbone
import Kernels
import Randomness
import T5
import Tasks
import Tensors

@testable import Training

/// A tiny T5 with an adapter that is not at its start, and examples: enough to compute micro-batches.
struct TinyTraining {
    static let tasks = 3

    let model: any Backbone
    let state: TrainState
    let examples = RandomExamples()

    var sums: StepSums { StepSums(parameters: state.trained.count, tasks: Self.tasks) }

    init(_ method: LowRankOptions.Method = .unoloraStar, feedForward: T5Configuration.FeedForward = .relu) {
        self.init(feedForward: feedForward) {
            LowRankMethod(LowRankOptions(method: method, rankA: 2, alpha: 4, tasks: Self.tasks), on: $0)
        }
    }

    /// Creates it with a method of this name; a low-rank one has the same options as above.
    init(named name: String) {
        switch name {
        case "hyperformer_pp": self.init { HyperFormerMethod(tasks: Self.tasks, reduction: 5, on: $0) }
        case "full": self.init { FullMethod(on: $0) }
        case "frozen parts": self.init { Self.frozen(on: $0) }
        default:
            guard let method = LowRankOptions.Method(rawValue: name) else { preconditionFailure("no method \(name)") }
            self.init(method)
        }
    }

    /// UnoLoRA* of which only B and the embeddings of tasks 0 and 2 are trained.
    static func frozen(on shape: any BackboneShape) -> LowRankMethod {
        var options = LowRankOptions(method: .unoloraStar, rankA: 2, alpha: 4, tasks: Self.tasks)
        (options.freezesA, options.hyper.trained) = (true, .tasks([0, 2]))
        return LowRankMethod(options, on: shape)
    }

    /// Creates it with `blocks` blocks in each stack and the method that `make` returns for the model's shape.
    init(
        blocks: Int = 1, feedForward: T5Configuration.FeedForward = .relu,
        method make: (any BackboneShape) -> any Method
    ) {
        BLAS.useOneThread()
        var shape = Self.shape
        shape.feedForward = feedForward
        (shape.encoderBlocks, shape.decoderBlocks) = (blocks, blocks)
        var layout = ParameterLayout()
        for (name, shape) in shape.tensorShapes() { layout.append(name, shape) }
        let weights = Arena(count: layout.count)
        Self.fill(weights, deviation: 0.3, around: 0.1, seed: 1)
        do {
            model = try T5Model(configuration: shape, maximumLength: 16, storage: weights) { name in
                guard let entry = layout[name] else { preconditionFailure("\(name) is no tensor of the model") }
                return .float32(weights.matrix(entry).readOnly)
            }
        } catch {
            preconditionFailure("a tiny model cannot be made: \(error)")
        }
        state = TrainState(make(shape), on: model, seed: 2)
        let start = Array(state.weights.elements)
        Self.fill(state.weights, deviation: 0.2, around: 0, seed: 3)
        for i in start.indices { state.weights.base[i] += start[i] }
    }

    private static let shape: T5Configuration = {
        var shape = T5Configuration.presets[0].configuration
        shape.vocabularySize = RandomExamples.vocabulary
        shape.modelWidth = 16
        shape.headWidth = 4
        shape.heads = 2
        shape.feedForwardWidth = 24
        shape.encoderBlocks = 1
        shape.decoderBlocks = 1
        return shape
    }()

    private static func fill(_ arena: Arena, deviation: Double, around mean: Double, seed: UInt64) {
        var stream = RandomStream(seed: seed, purpose: .test)
        for i in 0..<arena.count { arena.base[i] = Float(mean + deviation * stream.normal()) }
    }

    func team(threads: Int) -> WorkerTeam { WorkerTeam(threads: threads, state.model, sums: rankSums()) }

    /// Sums of a rank, in buckets of at least `least` and at most `4 * least` elements.
    func rankSums(_ gradients: GradientSum = .exact, least: Int = GradientBuckets.usualLeast) -> RankSums {
        RankSums(
            StepSums(parameters: state.trained.count, tasks: Self.tasks, gradients: gradients),
            GradientBuckets(state.model.method, on: model.shape, least: least, most: 4 * least))
    }

    /// Micro-batches of two examples; all examples of micro-batch m have the task `m % 3`.
    func plan(microBatches: Int) -> MicroBatchPlan {
        let slots = (0..<2 * microBatches).map {
            Sampler.Slot(index: $0, task: $0 / 2 % Self.tasks, example: $0 * 5 + 1)
        }
        var plan = MicroBatchPlan(micro: 2, grouping: .consecutive)
        plan.cut(slots, examples: examples)
        return plan
    }

    func settings(microBatches: Int) -> StepSettings {
        StepSettings(
            dropout: DropoutKey(seed: 4, step: 7, rate: 0.1), labelSmoothing: 0.1, padTargets: nil,
            limit: FixedPoint.limit(parts: microBatches))
    }

    /// The sums of some micro-batches, computed by `threads` workers.
    func sums(of indices: [Int], in plan: MicroBatchPlan, threads: Int) -> [Int64] {
        let team = team(threads: threads)
        team.run(plan, indices, examples: examples, settings: settings(microBatches: plan.count))
        return team.total
    }
}

extension WorkerTeam {
    /// The sums of all workers.
    var total: [Int64] { Array(sums.words) }
}

/// Examples with different lengths and tokens; they are parts of one array of random tokens.
final class RandomExamples: TrainingExamples, @unchecked Sendable {
    static let vocabulary = 48

    // Unchecked: only `init` writes the memory.
    private let tokens: UnsafeMutableBufferPointer<Int32>

    init() {
        tokens = .allocate(capacity: 256)
        var stream = RandomStream(seed: 9, purpose: .test)
        for i in tokens.indices { tokens.initializeElement(at: i, to: Int32(2 + stream.below(Self.vocabulary - 2))) }
    }

    deinit { tokens.deallocate() }

    private func slice(_ first: Int, _ count: Int) -> UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(rebasing: tokens[first..<first + count])
    }

    func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        slice((example * 17 + task * 31) % 240, (example * 7 + task) % 13 + 1)
    }

    func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        slice((example * 11 + task * 5) % 240, example % 3 + 1)
    }
}
