import Adapters
import Backbone
import BackboneChecks
import Foundation
import Kernels
import Randomness
import Tensors
import Testing

@testable import T5

/// A T5 that is small enough for finite differences: inner width 10 with d = 12, and position buckets that end at distance 6.
struct TinyT5: Sendable {
    enum Family: String, CaseIterable, Sendable {
        /// ReLU and a tied output matrix.
        case v10 = "v1.0"
        /// Gated GELU and a separate output matrix.
        case v11 = "v1.1"
    }

    let model: T5Model
    private let layout: ParameterLayout
    private let weights: Arena

    init(
        _ family: Family, encoderBlocks: Int = 2, decoderBlocks: Int = 2, endToken: Int32 = 1, seed: UInt64 = 1,
        packs: Bool = false, isWide: Bool = false
    ) {
        BLAS.useOneThread()
        let configuration = Self.configuration(
            family, encoderBlocks: encoderBlocks, decoderBlocks: decoderBlocks, endToken: endToken, isWide: isWide)
        var layout = ParameterLayout()
        for (name, shape) in configuration.tensorShapes() {
            layout.append(name, shape)
        }
        let weights = Arena(count: layout.count)
        for (index, entry) in layout.entries.enumerated() {
            var stream = RandomStream(seed: seed, purpose: .test, a: UInt32(index))
            // Norm weights are near 1 but all different; the others are as in a new model.
            let deviation = configuration.initialDeviation(entry.name)
            for i in entry.range {
                weights.base[i] = Float(deviation.map { stream.normal() * $0 } ?? 1 + 0.2 * stream.normal())
            }
        }
        do {
            model = try T5Model(
                configuration: configuration, maximumLength: 32, storage: weights,
                packing: packs ? WeightPacking(PackingLibrary.oneDNN()) : nil
            ) { name in
                let entry = layout[name]!
                return .float32(weights.matrix(entry).readOnly)
            }
        } catch {
            preconditionFailure("a tiny model cannot be made: \(error)")
        }
        (self.layout, self.weights) = (layout, weights)
    }

    /// A weight of the model, for changing it; valid as long as the model.
    func weight(_ name: String) -> MutableMatrix {
        guard let entry = layout[name] else { preconditionFailure("\(name) is no weight") }
        return weights.matrix(entry)
    }

    static func configuration(
        _ family: Family, encoderBlocks: Int = 2, decoderBlocks: Int = 2, endToken: Int32 = 1, isWide: Bool = false
    ) -> T5Configuration {
        // With `isWide` products are so deep and broad that a library cuts them into pieces.
        T5Configuration(
            vocabularySize: isWide ? 101 : 37, modelWidth: isWide ? 520 : 12, headWidth: isWide ? 70 : 5,
            feedForwardWidth: isWide ? 200 : 18, encoderBlocks: encoderBlocks,
            decoderBlocks: decoderBlocks, heads: 2, positionBuckets: 8, positionMaxDistance: 6, dropoutRate: 0.1,
            normEpsilon: 1e-6, feedForward: family == .v10 ? .relu : .gatedGelu,
            outputMatrix: family == .v10 ? .embedding : .own, scalesOutput: family == .v10,
            decoderStartToken: 0, padToken: 0, endToken: endToken)
    }

    /// See `RaggedBatch.random`.
    static func batch(
        _ lengths: [(source: Int, target: Int, task: Int)] = [(5, 3, 1), (1, 1, 0), (20, 2, 2), (3, 4, 1)],
        slot: UInt32 = 3, seed: UInt64 = 2
    ) -> RaggedBatch { .random(lengths, slot: slot, seed: seed) }
}

/// A method on a tiny T5; all its tensors differ from their start (B is not zero).
struct TinyAdapter: Sendable {
    /// What is adapted.
    let tiny: TinyT5
    /// The model that computes with the trained tensors.
    let model: T5Model
    let adapted: AdaptedBackbone

    var method: any Method { adapted.method }
    var weights: Arena { adapted.weights }

    init(_ tiny: TinyT5, _ options: LowRankOptions, seed: UInt64 = 7) {
        self.init(tiny, LowRankMethod(options, on: tiny.model.configuration), seed: seed)
    }

    /// `deviation` is the distance from the start.
    init(_ tiny: TinyT5, _ method: any Method, seed: UInt64 = 7, deviation: Double = 0.15) {
        self.tiny = tiny
        adapted = AdaptedBackbone(tiny.model, method, seed: seed, deviation: deviation)
        guard let model = adapted.model as? T5Model else { preconditionFailure("a T5 with trained tensors is a T5") }
        self.model = model
    }

    /// An engine with its own gradients.
    func engine() -> (engine: T5Engine, gradients: Arena) {
        let gradients = Arena(count: method.parameters.count)
        let adaptation = method.adaptation(weights: weights.readOnly, gradients: gradients)
        return (T5Engine(model: model, adaptation: adaptation), gradients)
    }

    /// Summed loss and its gradients.
    func gradients(
        _ batch: RaggedBatch, dropout: DropoutKey? = nil, labelSmoothing: Float = 0
    ) -> (loss: MicroBatchLoss, gradients: [Float]) {
        adapted.gradients(batch, dropout: dropout, labelSmoothing: labelSmoothing)
    }
}

extension GradientCheck {
    init(adapter: TinyAdapter, batch: RaggedBatch, dropout: DropoutKey? = nil, labelSmoothing: Float = 0) {
        self.init(adapter: adapter.adapted, batch: batch, dropout: dropout, labelSmoothing: labelSmoothing)
    }
}

extension LoraTargets {
    /// Every projection of every attention and feed-forward, for both families.
    static let everything = LoraTargets(
        encoderSelf: ["q", "k", "v", "o"], decoderSelf: ["q", "k", "v", "o"], decoderCross: ["q", "k", "v", "o"],
        feedForward: ["wi", "wi_0", "wi_1", "wo"])

    /// One leaf in one of the four regions.
    static func only(_ region: String, _ leaf: String) -> LoraTargets {
        func leaves(_ name: String) -> Set<String> { name == region ? [leaf] : [] }
        return LoraTargets(
            encoderSelf: leaves("encoderSelf"), decoderSelf: leaves("decoderSelf"),
            decoderCross: leaves("decoderCross"), feedForward: leaves("feedForward"))
    }
}
