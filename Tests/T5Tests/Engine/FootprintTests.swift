import Adapters
import Backbone
import Tensors
import Testing
import ToyMethod

@testable import T5

@Suite struct FootprintTests {
    /// A method with options that a run may have.
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// Different tasks in a batch.
        let tasks: Int
        let method: @Sendable (T5Configuration) -> any Method

        init(
            _ description: String, tasks: Int = 4, _ method: @escaping @Sendable (T5Configuration) -> any Method
        ) {
            testDescription = description
            self.tasks = tasks
            self.method = method
        }

        private init(_ description: String, _ options: LowRankOptions) {
            self.init(description) { LowRankMethod(options, on: $0) }
        }

        static let all =
            [
                Case("unolora", LowRankOptions(method: .unolora, tasks: 4)),
                Case("unolora_star", LowRankOptions(method: .unoloraStar, tasks: 4)),
                Case("lora_per_task", LowRankOptions(method: .loraPerTask, tasks: 4)),
                Case(
                    "unolora_star everywhere, two ranks, a mask per site",
                    LowRankOptions(
                        method: .unoloraStar, rankA: 3, rankB: 5, tasks: 4, targets: .everything, dropoutMask: .perSite)
                ),
                Case(
                    "lora_per_task everywhere",
                    LowRankOptions(method: .loraPerTask, rankA: 4, tasks: 4, targets: .everything)),
                Case("unolora_star, C alone", frozen(.unoloraStar, .nothing, rankB: 5)),
                Case("unolora_star, new tasks alone", frozen(.unoloraStar, .tasks([1]))),
                Case("unolora with frozen A", frozen(.unolora, .everything)),
                Case(
                    "unolora in the encoder's feed-forward alone",
                    LowRankOptions(
                        method: .unolora, tasks: 4,
                        targets: LoraTargets(encoderSelf: [], decoderSelf: [], decoderCross: [], feedForward: ["wo"]))),
            ] + own

        private static func frozen(
            _ method: LowRankOptions.Method, _ hyper: HypernetworkOptions.Trained, rankB: Int? = nil
        ) -> LowRankOptions {
            var options = LowRankOptions(method: method, rankB: rankB, tasks: 4)
            (options.freezesA, options.freezesB, options.hyper.trained) = (true, hyper != .everything, hyper)
            return options
        }

        /// Methods whose memory depends on the number of different tasks in a batch, or on the backbone's tensors.
        static let own = [1, 2, 4].flatMap { tasks in
            [
                Case("hyperformer_pp, \(tasks) task(s)", tasks: tasks) {
                    HyperFormerMethod(tasks: tasks, reduction: 4, on: $0)
                },
                Case("full, \(tasks) task(s)", tasks: tasks) { FullMethod(on: $0) },
            ]
        }

        /// The method on a tiny T5, not at its start.
        func adapter(_ tiny: TinyT5) -> TinyAdapter {
            TinyAdapter(tiny, method(tiny.model.configuration), deviation: 0.05)
        }
    }

    /// Examples and their lengths; these are the longest that a tiny model supports.
    struct Sizes: CustomTestStringConvertible, Sendable {
        var examples: Int
        var source: Int
        var target: Int

        var testDescription: String { "\(examples) x (\(source), \(target))" }
        /// Whether the activations are large compared with the rounding of each piece to 64 bytes.
        var isLarge: Bool { examples * (source + target) > 200 }

        static let all = [
            Sizes(examples: 16, source: 32, target: 16), Sizes(examples: 8, source: 32, target: 2),
            Sizes(examples: 8, source: 4, target: 32), Sizes(examples: 1, source: 32, target: 32),
            Sizes(examples: 1, source: 1, target: 1),
        ]
    }

    /// High-water mark of a training pass, and the predicted bytes.
    private static func measure(
        _ tiny: TinyT5, _ adapter: TinyAdapter, _ sizes: Sizes, tasks: Int = 4
    ) -> (highWater: Int, foretold: Int) {
        // There is one block from the start, because the unused end of a block that was too small would count too.
        let workspace = Workspace(bytes: 1 << 24)
        let adaptation = adapter.method.adaptation(
            weights: adapter.weights.readOnly, gradients: Arena(count: adapter.weights.count))
        let engine = T5Engine(model: adapter.model, adaptation: adaptation, workspace: workspace)
        let lengths = (0..<sizes.examples).map { (source: sizes.source, target: sizes.target, task: $0 % tasks) }
        _ = engine.forward(TinyT5.batch(lengths), dropout: DropoutKey(seed: 1, step: 2, rate: 0.1))
        engine.backward()
        let footprint = TrainingFootprint(
            configuration: tiny.model.configuration,
            lengths: BatchLengths(examples: sizes.examples, source: sizes.source, target: sizes.target),
            method: adapter.method.footprint)
        return (workspace.highWater, footprint.bytes)
    }

    @Test(arguments: TinyT5.Family.allCases, Case.all)
    func `a training pass stays within its footprint and uses most of it`(family: TinyT5.Family, method: Case) {
        for (encoder, decoder) in [(2, 2), (3, 1), (1, 3)] {
            let tiny = TinyT5(family, encoderBlocks: encoder, decoderBlocks: decoder)
            for sizes in Sizes.all {
                let (highWater, foretold) = Self.measure(tiny, method.adapter(tiny), sizes, tasks: method.tasks)
                #expect(highWater <= foretold, "\(sizes.testDescription), \(encoder) and \(decoder) blocks")
                if sizes.isLarge {
                    #expect(
                        Double(highWater) >= 0.6 * Double(foretold),
                        "\(sizes.testDescription), \(encoder) and \(decoder) blocks: \(highWater) of \(foretold)")
                }
            }
        }
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `what trains the backbone's tensors or changes outputs stays within its footprint`(family: TinyT5.Family) {
        let tiny = TinyT5(family)
        let shape = tiny.model.configuration
        for method in [ToyMethod(on: shape), TrainedTensors(on: shape) { _ in true }] as [any Method] {
            for sizes in Sizes.all {
                let (highWater, foretold) = Self.measure(tiny, TinyAdapter(tiny, method, deviation: 0), sizes)
                #expect(highWater <= foretold, "\(sizes.testDescription)")
                if sizes.isLarge { #expect(Double(highWater) >= 0.6 * Double(foretold), "\(sizes.testDescription)") }
            }
        }
    }

    /// A controller's products are wide even where a batch has few tokens.
    @Test(arguments: TinyT5.Family.allCases, [10, 100])
    func `generated adapters of a wide model fit beside a single token`(family: TinyT5.Family, reduction: Int) {
        let tiny = TinyT5(family, encoderBlocks: 1, decoderBlocks: 1, isWide: true)
        // One task of several, so that less is foretold than for all tasks.
        let adapter = TinyAdapter(
            tiny, HyperFormerMethod(tasks: 3, reduction: reduction, on: tiny.model.configuration), deviation: 0.05)
        let (highWater, foretold) = Self.measure(tiny, adapter, Sizes(examples: 1, source: 1, target: 1), tasks: 1)
        #expect(highWater <= foretold, "\(highWater) of \(foretold)")
        #expect(Double(highWater) >= 0.6 * Double(foretold), "\(highWater) of \(foretold)")
    }

    @Test func `ragged examples take no more than examples of the longest`() {
        let tiny = TinyT5(.v11)
        let adapter = TinyAdapter(tiny, LowRankOptions(method: .unoloraStar, tasks: 4))
        let (engine, _) = adapter.engine()
        _ = engine.forward(TinyT5.batch(), dropout: DropoutKey(seed: 1, step: 2, rate: 0.1))
        engine.backward()
        let footprint = TrainingFootprint(
            configuration: tiny.model.configuration, lengths: BatchLengths(examples: 4, source: 20, target: 4),
            method: adapter.method.footprint)
        #expect(engine.workspace.highWater <= footprint.bytes)
    }

    @Test(arguments: TinyT5.Family.allCases, Case.all)
    func `ragged examples take what their own lengths foretell`(family: TinyT5.Family, method: Case) {
        let tiny = TinyT5(family)
        let adapter = method.adapter(tiny)
        let (engine, _) = adapter.engine()
        let examples = [(32, 3, 1), (9, 30, 0), (20, 2, 2), (3, 14, 1), (31, 1, 3), (17, 8, 2), (28, 12, 0)]
        _ = engine.forward(
            TinyT5.batch(examples.map { (source: $0.0, target: $0.1, task: $0.2 % method.tasks) }),
            dropout: DropoutKey(seed: 1, step: 2, rate: 0.1))
        engine.backward()
        var lengths = BatchLengths()
        for (source, target, _) in examples { lengths.append(source: source, target: target) }
        func bytes(_ lengths: BatchLengths) -> Int {
            TrainingFootprint(
                configuration: tiny.model.configuration, lengths: lengths, method: adapter.method.footprint
            )
            .bytes
        }
        let highWater = engine.workspace.highWater
        #expect(highWater <= bytes(lengths))
        #expect(Double(highWater) >= 0.6 * Double(bytes(lengths)), "\(highWater) of \(bytes(lengths))")
        #expect(bytes(lengths) < bytes(BatchLengths(examples: 7, source: 32, target: 30)))
        // With equal lengths both ways give the same.
        var equal = BatchLengths()
        for _ in 0..<7 { equal.append(source: 32, target: 30) }
        #expect(equal == BatchLengths(examples: 7, source: 32, target: 30))
    }
}
