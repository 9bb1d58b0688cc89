import Adapters
import Backbone
import Tensors
import Testing
import ToyMethod

@testable import T5

@Suite struct GenerationFootprintTests {
    /// Number of examples, and of tokens of each source and of each answer.
    struct Sizes: CustomTestStringConvertible, Sendable {
        var examples: Int
        var source: Int
        var steps: Int

        var testDescription: String { "\(examples) x (\(source), \(steps))" }
        /// Whether the matrices are large compared with the rounding of each piece to 64 bytes.
        var isLarge: Bool { examples * (source + steps) > 200 }

        static let all = [
            Sizes(examples: 16, source: 32, steps: 16), Sizes(examples: 32, source: 16, steps: 2),
            Sizes(examples: 16, source: 4, steps: 32), Sizes(examples: 1, source: 32, steps: 32),
            Sizes(examples: 1, source: 1, steps: 1),
        ]
    }

    /// High-water mark of a generation whose answers all have the largest length, and the predicted bytes.
    private static func measure(
        _ tiny: TinyT5, _ adapter: TinyAdapter, _ sizes: Sizes, tasks: Int
    ) throws -> (highWater: Int, foretold: Int) {
        // There is one block from the start, because the unused end of a block that was too small would count too.
        let workspace = Workspace(bytes: 1 << 24)
        // Workers that train also answer; what is generated for an example or a task then has room for gradients, too.
        let generates = adapter.method.footprint.perExample + adapter.method.footprint.perTask > 0
        let adaptation = adapter.method.adaptation(
            weights: adapter.weights.readOnly, gradients: generates ? nil : Arena(count: adapter.weights.count))
        let engine = T5Engine(model: adapter.model, adaptation: adaptation, workspace: workspace)
        let lengths = (0..<sizes.examples).map { (source: sizes.source, target: 1, task: $0 % tasks) }
        let limits = Array(repeating: sizes.steps, count: sizes.examples)
        _ = try engine.generate(TinyT5.batch(lengths), maxNewTokens: limits)
        let footprint = GenerationFootprint(
            configuration: tiny.model.configuration,
            lengths: BatchLengths(examples: sizes.examples, source: sizes.source, target: 1), steps: sizes.steps,
            method: adapter.method.footprint)
        return (workspace.highWater, footprint.bytes)
    }

    @Test(arguments: TinyT5.Family.allCases, FootprintTests.Case.all)
    func `a generation stays within its footprint and uses most of it`(
        family: TinyT5.Family, method: FootprintTests.Case
    ) throws {
        for (encoder, decoder) in [(2, 2), (3, 1), (1, 3)] {
            // The end token is never generated, so no answer ends early.
            let tiny = TinyT5(family, encoderBlocks: encoder, decoderBlocks: decoder, endToken: 99)
            for sizes in Sizes.all {
                let (highWater, foretold) = try Self.measure(
                    tiny, method.adapter(tiny), sizes, tasks: method.tasks)
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
    func `so does one with a method that trains the backbone's tensors or changes outputs`(
        family: TinyT5.Family
    ) throws {
        let tiny = TinyT5(family, endToken: 99)
        let shape = tiny.model.configuration
        for method in [ToyMethod(on: shape), TrainedTensors(on: shape) { _ in true }] as [any Method] {
            for sizes in Sizes.all {
                let (highWater, foretold) = try Self.measure(
                    tiny, TinyAdapter(tiny, method, deviation: 0), sizes, tasks: 4)
                #expect(highWater <= foretold, "\(sizes.testDescription)")
                if sizes.isLarge { #expect(Double(highWater) >= 0.6 * Double(foretold), "\(sizes.testDescription)") }
            }
        }
    }

    /// Each target begins with a token of its own, so that nearly every slot is used.
    @Test(arguments: TinyT5.Family.allCases, [1, 2, 5, 20])
    func `log-probabilities of targets stay within the footprint and use most of it`(
        family: TinyT5.Family, targets: Int
    ) throws {
        let tiny = TinyT5(family, endToken: 99)
        for method in FootprintTests.Case.all {
            let adapter = method.adapter(tiny)
            for sizes in Sizes.all {
                let workspace = Workspace(bytes: 1 << 26)
                let adaptation = adapter.method.adaptation(weights: adapter.weights.readOnly, gradients: nil)
                let engine = T5Engine(model: adapter.model, adaptation: adaptation, workspace: workspace)
                let lengths = (0..<sizes.examples).map { (source: sizes.source, target: 1, task: $0 % method.tasks) }
                let own = (0..<targets).map { [Int32](repeating: Int32(2 + $0), count: sizes.steps) }
                _ = try engine.answers(
                    TinyT5.batch(lengths), maxNewTokens: Array(repeating: sizes.steps, count: sizes.examples),
                    targets: Array(repeating: own, count: sizes.examples))
                let foretold = GenerationFootprint(
                    configuration: tiny.model.configuration,
                    lengths: BatchLengths(examples: sizes.examples, source: sizes.source, target: 1),
                    steps: sizes.steps, targets: targets, method: adapter.method.footprint
                ).bytes
                #expect(workspace.highWater <= foretold, "\(method), \(sizes.testDescription)")
                if sizes.isLarge, sizes.steps > 2 {
                    #expect(
                        Double(workspace.highWater) >= 0.5 * Double(foretold),
                        "\(method), \(sizes.testDescription): \(workspace.highWater) of \(foretold)")
                }
            }
        }
    }

    @Test(arguments: TinyT5.Family.allCases, [10, 100])
    func `generated adapters of a wide model fit beside a single token`(
        family: TinyT5.Family, reduction: Int
    ) throws {
        let tiny = TinyT5(family, encoderBlocks: 1, decoderBlocks: 1, endToken: 999, isWide: true)
        let adapter = TinyAdapter(
            tiny, HyperFormerMethod(tasks: 3, reduction: reduction, on: tiny.model.configuration), deviation: 0.05)
        let (highWater, foretold) = try Self.measure(
            tiny, adapter, Sizes(examples: 1, source: 1, steps: 1), tasks: 1)
        #expect(highWater <= foretold, "\(highWater) of \(foretold)")
        #expect(Double(highWater) >= 0.6 * Double(foretold), "\(highWater) of \(foretold)")
    }
}
