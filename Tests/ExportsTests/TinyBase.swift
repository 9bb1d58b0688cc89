import Adapters
import Backbone
import Backbones
import Foundation
import Kernels
import Randomness
import T5
import Tensors
import TestSupport
import Training

/// A small T5 in a directory, and low-rank methods on it that are far from their start.
struct TinyBase {
    /// T5 v1.0, with a scaled output and a tied output matrix, or v1.1, with neither and a gated feed-forward.
    enum Form: String, CaseIterable {
        case v10
        case v11
    }

    static let tasks = 2
    let directory: TemporaryDirectory
    let shape: T5Configuration

    var path: String { directory.file("model") }

    init(_ form: Form) throws {
        directory = try TemporaryDirectory()
        let name = form == .v10 ? "t5-mini" : "t5-v1_1-small"
        guard var shape = T5Configuration.presets.first(where: { $0.name == name })?.configuration else {
            throw CocoaError(.featureUnsupported)
        }
        (shape.vocabularySize, shape.modelWidth, shape.headWidth, shape.heads) = (64, 12, 4, 2)
        (shape.feedForwardWidth, shape.encoderBlocks, shape.decoderBlocks) = (16, 2, 2)
        try shape.writeNewModel(directory: directory.file("model"), seed: 7)
        self.shape = shape
    }

    /// Every projection.
    var allTargets: LoraTargets { Self.allTargets(shape.feedForward == .relu ? .v10 : .v11) }

    /// Every projection of a form.
    static func allTargets(_ form: Form) -> LoraTargets {
        let all: Set = ["q", "k", "v", "o"]
        let inner: Set = form == .v10 ? ["wi", "wo"] : ["wi_0", "wi_1", "wo"]
        return LoraTargets(encoderSelf: all, decoderSelf: all, decoderCross: all, feedForward: inner)
    }

    func open(_ path: String? = nil) throws -> any Backbone {
        try Backbones.open(directory: path ?? self.path, maximumLength: 32)
    }

    /// A method, and weights in which nothing is 0.
    func method(
        _ name: LowRankOptions.Method, rankA: Int = 4, rankB: Int? = nil, targets: LoraTargets? = nil,
        hyper: HypernetworkOptions = HypernetworkOptions()
    ) -> (method: LowRankMethod, weights: Arena) {
        let options = LowRankOptions(
            method: name, rankA: rankA, rankB: rankB, alpha: 6, tasks: Self.tasks, targets: targets ?? allTargets,
            dropout: 0, hyper: hyper)
        let method = LowRankMethod(options, on: shape)
        let weights = Arena(count: method.parameters.count)
        var stream = RandomStream(seed: 5, purpose: .adapterInitialisation, a: 1)
        for i in 0..<weights.count { weights.elements[i] = Float(0.3 * stream.normal()) }
        return (method, weights)
    }

    /// Logits of the examples of one task.
    static func logits(
        _ backbone: any Backbone, _ method: LowRankMethod?, _ weights: Arena?, task: Int = 0, texts: [[Int32]] = texts
    ) -> [Float] {
        var adaptation: (any Adaptation)?
        if let method, let weights {
            adaptation = method.adaptation(weights: weights.readOnly, gradients: nil)
        }
        let engine = backbone.engine(adaptation, workspace: Workspace())
        var batch = RaggedBatch()
        for text in texts { batch.append(source: text, target: [9, 4, 1], task: task, slot: 0) }
        return engine.logits(batch).copied()
    }

    /// `Goldens/make_logits.py` has the same.
    static let texts: [[Int32]] = [[5, 9, 31, 7, 1], [22, 1], [3, 40, 41, 17, 8, 11, 1]]
}

extension AdaptedModel {
    /// Logits of the examples of one task.
    func logits(task: Int = 0, texts: [[Int32]] = TinyBase.texts) -> [Float] {
        guard let method = method as? LowRankMethod else { return [] }
        return TinyBase.logits(backbone, method, weights, task: task, texts: texts)
    }
}
