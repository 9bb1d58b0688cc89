import Adapters
import Backbone
import Failures
import Kernels
import MPI
import Optimizers
import Tasks
import Tensors
import Testing
import ToyMethod

@testable import Training

/// Methods that train the backbone's tensors, that change a sublayer's output, or that freeze parts of their own, give the same bits
/// with any number of ranks and threads and with any stop, although the training code knows nothing about them.
@MainActor
@Suite(.serialized)
struct TrainedBackboneTests {
    /// Such methods; the toy method is one that only the tests have.
    enum Kind: String, CaseIterable, Sendable {
        case toy
        case full
        case hyperFormer
        case frozen

        func method(on shape: any BackboneShape) -> any Method {
            switch self {
            case .toy: ToyMethod(on: shape)
            case .full: FullMethod(on: shape)
            case .hyperFormer: HyperFormerMethod(tasks: TinyTraining.tasks, reduction: 5, on: shape)
            case .frozen: TinyTraining.frozen(on: shape)
            }
        }
    }

    private static let options = TrainOptions(
        seed: 6, microBatch: 2, dropout: 0.2, labelSmoothing: 0.1, clip: 0.05, optimizer: AdamW(weightDecay: 0.1),
        schedule: LearningRateSchedule(peak: 0.01, warmup: 1, steps: 8, decay: .cosine), check: 5)
    private static let steps = 6

    private let world: Communicator

    init() throws { world = try TestWorld.world }

    /// The result of six steps; the training is stopped and restarted after the steps in `stops`.
    private func digest(
        _ kind: Kind, on communicator: Communicator, threads: Int, stops: Set<Int> = [], bucket: Int? = nil,
        overlaps: Bool = false
    ) throws -> ContentDigest {
        let mixture = try Mixture(tasks: [("a", 40), ("b", 20), ("c", 30)], temperature: 2)
        var tiny = TinyTraining { kind.method(on: $0) }
        func trainer() throws -> Trainer {
            try Trainer(
                state: tiny.state, examples: tiny.examples,
                sampler: Sampler(seed: 8, mixture: mixture, granularity: .example, batch: 11, micro: 2),
                taskNames: ["a", "b", "c"], options: Self.options, threads: threads, communicator: communicator,
                bucket: bucket, overlaps: overlaps)
        }
        var present = try trainer()
        for step in 1...Self.steps {
            _ = try present.step()
            guard stops.contains(step) else { continue }
            let old = tiny.state
            tiny = TinyTraining { kind.method(on: $0) }
            tiny.state.weights.copy(from: old.weights)
            tiny.state.mean.copy(from: old.mean)
            tiny.state.square.copy(from: old.square)
            tiny.state.step = old.step
            present = try trainer()
        }
        return tiny.state.digest
    }

    @Test(arguments: Kind.allCases)
    func `the same bits from any number of ranks and threads and through any stop`(kind: Kind) throws {
        let alone = try #require(try world.split(color: world.rank, key: 0))
        let expected = try digest(kind, on: alone, threads: 1)
        for threads in 1...3 { #expect(try digest(kind, on: world, threads: threads) == expected) }
        #expect(try digest(kind, on: world, threads: 2, stops: [1, 4]) == expected)
        #expect(try digest(kind, on: alone, threads: 2, stops: [3]) == expected)
        let allowsThreads = try TestWorld.started.threadLevel == .multiple
        // Gradients are summed in buckets of any size, while others are computed or afterwards.
        for bucket in [1, 100, 1000] {
            for overlaps in [false, true] where !overlaps || allowsThreads {
                let found = try digest(kind, on: world, threads: 2, bucket: bucket, overlaps: overlaps)
                #expect(found == expected, "\(bucket), \(overlaps)")
            }
        }
        try alone.free()
    }

    @Test(arguments: Kind.allCases)
    func `every trainable moves, and nothing that is frozen`(kind: Kind) throws {
        let tiny = TinyTraining { kind.method(on: $0) }
        let before = Array(tiny.state.weights.elements)
        let mixture = try Mixture(tasks: [("a", 40), ("b", 20), ("c", 30)], temperature: 2)
        var options = Self.options
        // Without weight decay, only tensors with a gradient change; what is frozen has none, and does not decay either.
        let hasFrozen = tiny.state.trained.count < tiny.state.weights.count
        options.optimizer = AdamW(weightDecay: hasFrozen ? 0.5 : 0)
        let trainer = try Trainer(
            state: tiny.state, examples: tiny.examples,
            sampler: Sampler(seed: 8, mixture: mixture, granularity: .example, batch: 11, micro: 2),
            taskNames: ["a", "b", "c"], options: options, threads: 2, communicator: world)
        for _ in 0..<3 { _ = try trainer.step() }
        #expect(hasFrozen == (kind == .frozen))
        var isTrained = Set<Int>()
        for run in tiny.state.trained.runs { isTrained.formUnion(run.place..<run.place + run.positions.count) }
        for entry in tiny.state.parameters.entries {
            let moved = entry.range.filter { tiny.state.weights.base[$0] != before[$0] }
            #expect(moved.isEmpty == isTrained.isDisjoint(with: entry.range), "\(entry.name)")
            #expect(isTrained.isSuperset(of: moved), "\(entry.name)")
        }
    }
}
