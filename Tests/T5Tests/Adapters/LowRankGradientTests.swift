import Adapters
import Backbone
import BackboneChecks
import Tensors
import TestSupport
import Testing

@testable import T5

/// One setting of a method whose gradients are checked; the description names it in the test's output.
struct GradientSetting: Sendable, CustomTestStringConvertible {
    let description: String
    var family = TinyT5.Family.v10
    var blocks = (encoder: 2, decoder: 2)
    var dropout: DropoutKey?
    var labelSmoothing: Float = 0
    let options: LowRankOptions

    var testDescription: String { "\(description), \(family.rawValue)" }

    init(
        _ description: String, _ method: LowRankOptions.Method, _ family: TinyT5.Family = .v10, rankA: Int = 3,
        rankB: Int? = nil, dropped: Bool = false, labelSmoothing: Float = 0, blocks: (Int, Int) = (2, 2),
        _ change: (inout LowRankOptions) -> Void = { _ in }
    ) {
        self.description = "\(method.rawValue), \(description)"
        self.family = family
        self.blocks = blocks
        self.labelSmoothing = labelSmoothing
        dropout = dropped ? DropoutKey(seed: 99, step: 5, rate: 0.15) : nil
        var options = LowRankOptions(method: method, rankA: rankA, rankB: rankB, alpha: 4, tasks: 4, dropout: 0.2)
        options.hyper.dimension = 4
        options.hyper.outputDimension = 5
        options.hyper.bottleneck = 6
        change(&options)
        self.options = options
    }

    func check() -> GradientCheck {
        let tiny = TinyT5(family, encoderBlocks: blocks.encoder, decoderBlocks: blocks.decoder)
        return GradientCheck(
            adapter: TinyAdapter(tiny, options), batch: TinyT5.batch(), dropout: dropout,
            labelSmoothing: labelSmoothing)
    }
}

@Suite struct LowRankGradientTests {
    private static let methods: [GradientSetting] = TinyT5.Family.allCases.flatMap { family in
        [
            GradientSetting("q and v", .unolora, family),
            GradientSetting("q and v", .unoloraStar, family),
            GradientSetting("q and v", .loraPerTask, family),
            GradientSetting("everything", .unolora, family) { $0.targets = .everything },
            GradientSetting("everything", .unoloraStar, family) { $0.targets = .everything },
            GradientSetting("everything", .loraPerTask, family) { $0.targets = .everything },
        ]
    }

    private static let options: [GradientSetting] = [
        GradientSetting("rank 2 and 3", .unolora, rankA: 2, rankB: 3),
        GradientSetting("rank 4 and 2", .unoloraStar, .v11, rankA: 4, rankB: 2),
        GradientSetting("rank 1 and 2", .loraPerTask, rankA: 1, rankB: 2),
        GradientSetting("zero mean", .unoloraStar, .v11) { $0.hyper.startsAtOne = false },
        GradientSetting("positions modulo 5", .unoloraStar) { $0.hyper.positionModulus = 5 },
        GradientSetting("label smoothing", .unoloraStar, labelSmoothing: 0.1),
        GradientSetting("label smoothing", .unolora, .v11, labelSmoothing: 0.3),
    ]

    private static let hyperInputs: [GradientSetting] = (1...7).map { mask in
        let inputs = HypernetworkOptions.Input.allCases.enumerated().filter { mask >> $0.offset & 1 == 1 }
            .map(\.element)
        return GradientSetting("from \(inputs.map(\.rawValue))", .unoloraStar) { $0.hyper.inputs = Set(inputs) }
    }

    private static let dropouts: [GradientSetting] = TinyT5.Family.allCases.flatMap { family in
        [LowRankOptions.DropoutMask.perInput, .perSite].flatMap { mask in
            [LowRankOptions.Method.unolora, .unoloraStar, .loraPerTask].map { method in
                GradientSetting("dropout \(mask.rawValue)", method, family, rankB: 2, dropped: true) {
                    $0.targets = .everything
                    $0.dropoutMask = mask
                }
            }
        }
    }

    /// Each target alone decides how far down the backward goes, so for each one a different part could be forgotten.
    private static let targets: [GradientSetting] = {
        let attentions = ["encoderSelf", "decoderSelf", "decoderCross"].flatMap { region in
            ["q", "k", "v", "o"].map { (region, $0, TinyT5.Family.v11) }
        }
        let feedForward = [("wi", TinyT5.Family.v10), ("wo", .v10), ("wi_0", .v11), ("wi_1", .v11), ("wo", .v11)].map {
            ("feedForward", $0.0, $0.1)
        }
        return (attentions + feedForward).flatMap { region, leaf, family in
            [(2, 2), (1, 2), (2, 1)].map { blocks in
                GradientSetting("\(region) \(leaf), blocks \(blocks)", .unolora, family, rankA: 2, blocks: blocks) {
                    $0.targets = .only(region, leaf)
                }
            }
        }
    }()

    @Test(arguments: methods)
    func `the backward of each method is its finite difference`(setting: GradientSetting) {
        expectAgreement(setting)
    }

    @Test(arguments: options)
    func `the backward of each option is its finite difference`(setting: GradientSetting) {
        expectAgreement(setting)
    }

    @Test(arguments: hyperInputs)
    func `the backward of every choice of inputs is its finite difference`(setting: GradientSetting) {
        expectAgreement(setting)
    }

    @Test(arguments: dropouts)
    func `the backward under dropout is its finite difference`(setting: GradientSetting) {
        expectAgreement(setting)
    }

    @Test(arguments: targets)
    func `the backward of a single target is its finite difference`(setting: GradientSetting) {
        expectAgreement(setting)
    }

    private func expectAgreement(_ setting: GradientSetting) {
        let check = setting.check()
        let disagreements = check.disagreements()
        #expect(disagreements.isEmpty, "\(disagreements.joined(separator: "\n"))")
    }

    @Test func `a gradient that is wrong is found`() {
        let check = GradientSetting("q and v", .unoloraStar).check()
        // The check uses the loss that it is given: a loss with other smoothing has other gradients everywhere.
        let (_, right) = check.adapter.gradients(check.batch)
        let (_, wrong) = check.adapter.gradients(check.batch, labelSmoothing: 0.1)
        #expect(right != wrong)
        #expect(check.disagreements(of: wrong).count > check.adapter.method.parameters.entries.count)
    }

    @Test func `no tensor's gradient is zero when every task and site is used`() {
        for setting in Self.methods {
            let check = setting.check()
            let (_, gradients) = check.adapter.gradients(check.batch)
            for entry in check.adapter.method.parameters.entries {
                #expect(largestMagnitude(gradients[entry.range]) > 0, "\(setting.testDescription) \(entry.name)")
            }
        }
    }
}
