import Adapters
import Optimizers
import T5
import Testing

@testable import Configuration
@testable import Training

/// Each key of the configuration reaches the options of a step or an adapter that it should, and no other option.
@Suite struct CarriedOptionsTests {
    /// A key with a value that is not its default, and the change that it must cause.
    struct Carried<Options: Sendable>: Sendable, CustomTestStringConvertible {
        var setting: String
        var change: @Sendable (inout Options) -> Void

        init(_ setting: String, _ change: @escaping @Sendable (inout Options) -> Void) {
            self.setting = setting
            self.change = change
        }

        var testDescription: String { setting }
        var key: String { String(setting.prefix { $0 != "=" }) }
    }

    private static let shape = T5Configuration.presets[0].configuration

    private static func load(_ settings: [String]) throws -> RunConfiguration {
        try RunConfiguration.load(
            yaml: "model: t5\ndata: {glue: /glue}\nmethod: unolora_star\n", name: "run.yaml", directory: "/runs",
            overrides: settings + ["init.from=first"])
    }

    private static func train(_ settings: [String] = []) throws -> TrainOptions {
        try load(settings).trainOptions(modelDropout: 0.07, check: 3)
    }

    private static func adapter(_ settings: [String] = []) throws -> LowRankOptions {
        let loaded = try load(settings)
        let configuration = loaded.adapterConfiguration(
            shape, newTasks: loaded.trainsOnlyNewTasks ? ["stsb", "mnli"] : nil)
        let made = try MethodTable.standard.method(configuration, on: shape, from: .run(model: "t5", file: "run.yaml"))
        return try #require(made.method as? LowRankMethod).options
    }

    private static let ofTheStep: [Carried<TrainOptions>] = [
        Carried("train.seed=7") { $0.seed = 7 },
        Carried("train.steps=2000") { $0.schedule.steps = 2000 },
        Carried("batch.micro=8") { $0.microBatch = 8 },
        Carried("dropout=0.3") { $0.dropout = 0.3 },
        Carried("lr.peak=0.5") { $0.schedule.peak = 0.5 },
        Carried("lr.schedule=linear") { $0.schedule.decay = .linear },
        Carried("lr.schedule=constant") { $0.schedule.decay = .constant },
        Carried("lr.warmup=17") { $0.schedule.warmup = 17 },
        Carried("optim.beta1=0.5") { $0.optimizer.beta1 = 0.5 },
        Carried("optim.beta2=0.6") { $0.optimizer.beta2 = 0.6 },
        Carried("optim.epsilon=0.25") { $0.optimizer.epsilon = 0.25 },
        Carried("optim.weightDecay=0.2") { $0.optimizer.weightDecay = 0.2 },
        Carried("optim.clip=2.5") { $0.clip = 2.5 },
        Carried("optim.clip=null") { $0.clip = nil },
        Carried("loss.labelSmoothing=0.1") { $0.labelSmoothing = 0.1 },
        Carried("loss.reduction=sum") { $0.sumsLoss = true },
        Carried("loss.padTargets=9") { $0.padTargets = 9 },
    ]

    private static let ofTheAdapter: [Carried<LowRankOptions>] = [
        Carried("method=frozen") { $0.method = .frozen },
        Carried("method=unolora") { $0.method = .unolora },
        Carried("method=lora_per_task") { $0.method = .loraPerTask },
        Carried("tasks=[rte, cola, wnli]") { $0.tasks = 3 },
        Carried("lora.rank=5") { ($0.rankA, $0.rankB) = (5, 5) },
        Carried("lora.rankA=3") { $0.rankA = 3 },
        Carried("lora.rankB=2") { $0.rankB = 2 },
        Carried("lora.alpha=4.5") { $0.alpha = 4.5 },
        Carried("lora.dropout=0.4") { $0.dropout = 0.4 },
        Carried("lora.dropoutMask=perSite") { $0.dropoutMask = .perSite },
        Carried("lora.aInit=kaimingRank") { $0.aInitialisation = .kaimingRank },
        Carried("lora.freezeA=true") { $0.freezesA = true },
        Carried("lora.freezeB=true") { $0.freezesB = true },
        Carried("lora.targets={encoderSelf: [k], decoderSelf: [o], decoderCross: [q, k], feedForward: [wi]}") {
            $0.targets = LoraTargets(
                encoderSelf: ["k"], decoderSelf: ["o"], decoderCross: ["q", "k"], feedForward: ["wi"])
        },
        Carried("hyper.dim=6") { $0.hyper.dimension = 6 },
        Carried("hyper.outDim=7") { $0.hyper.outputDimension = 7 },
        Carried("hyper.bottleneck=9") { $0.hyper.bottleneck = 9 },
        Carried("hyper.inputs=[position, sample]") { $0.hyper.inputs = [.position, .sample] },
        Carried("hyper.scaleInit=zeroMean") { $0.hyper.startsAtOne = false },
        Carried("hyper.freeze=true") { $0.hyper.trained = .nothing },
        Carried("hyper.onlyNewTasks=true") { $0.hyper.trained = .tasks([1, 7]) },
        Carried("hyper.positions=modulo(11)") { $0.hyper.positionModulus = 11 },
        Carried("hyper.positions=modulo(twiceBlocks)") {
            $0.hyper.positionModulus = 2 * (shape.encoderBlocks + shape.decoderBlocks)
        },
    ]

    @Test(arguments: ofTheStep)
    func `a key of the step changes its own option and nothing else`(_ carried: Carried<TrainOptions>) throws {
        let standard = try Self.train()
        var expected = standard
        carried.change(&expected)
        #expect(expected != standard, "the value must not be the default")
        #expect(try Self.train([carried.setting]) == expected)
    }

    @Test(arguments: ofTheAdapter)
    func `a key of the adapter changes its own option and nothing else`(_ carried: Carried<LowRankOptions>) throws {
        let standard = try Self.adapter()
        var expected = standard
        carried.change(&expected)
        #expect(expected != standard, "the value must not be the default")
        #expect(try Self.adapter([carried.setting]) == expected)
    }

    @Test func `the other methods get the number of tasks, and HyperFormer++ its reduction`() throws {
        func configuration(_ settings: String...) throws -> AdapterConfiguration {
            try Self.load(settings + ["tasks=[rte, cola, wnli]"]).adapterConfiguration(Self.shape)
        }
        let full = try configuration("method=full")
        #expect(full == AdapterConfiguration(method: "full", rank: 0, alpha: 0, tasks: 3))
        var expected = AdapterConfiguration(method: "hyperformer_pp", rank: 0, alpha: 0, tasks: 3)
        expected.reduction = 32
        #expect(try configuration("method=hyperformer_pp") == expected)
        expected.reduction = 16
        #expect(try configuration("method=hyperformer_pp", "hyperformer.reduction=16") == expected)
        for adapter in [full, expected] {
            let made = try MethodTable.standard.method(
                adapter, on: Self.shape, from: .newRun(model: "t5", file: "run.yaml"))
            #expect(made.configuration == adapter)
        }
    }

    @Test func `the model's dropout and the check word are carried`() throws {
        #expect(try (Self.train().dropout, Self.train().check) == (0.07, 3))
    }

    @Test func `the methods that a user can choose are those of the table`() {
        #expect(KeyTable.methods == MethodTable.standard.names)
    }

    @Test func `no key of these sections is left out`() {
        let covered = Set(Self.ofTheStep.map(\.key) + Self.ofTheAdapter.map(\.key))
        let sections = ["lora", "hyper", "lr", "optim", "loss"]
        let keys = KeyTable.keys.map(\.path).filter { sections.contains(RunConfiguration.section($0)) }
        #expect(keys.count == 29)
        #expect(keys.filter { !covered.contains($0) } == [])
    }
}
