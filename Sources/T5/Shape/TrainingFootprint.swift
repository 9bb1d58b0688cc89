import Backbone
import Kernels

/// The memory that a worker's workspace needs for a training micro-batch, computed from shapes alone.
///
/// It follows the buffers of `T5Engine` one by one, as if the backward went through every sublayer; `FootprintTests` compares
/// it with the workspace's own high-water mark.
struct TrainingFootprint: Sendable {
    private let configuration: T5Configuration
    private let lengths: BatchLengths
    private let method: MethodFootprint

    /// The footprint of a micro-batch.
    init(configuration: T5Configuration, lengths: BatchLengths, method: MethodFootprint) {
        self.configuration = configuration
        self.lengths = lengths
        self.method = method
    }

    /// Bytes of a training pass: forward, kept activations and backward.
    var bytes: Int {
        let kept =
            tokenWords + scratchFloats + encoderFloats + decoderFloats + outputFloats
            + method.kept(examples: lengths.examples) + method.blocks(rows: sourceRows + targetRows) + positionFloats
        // Every piece starts at a multiple of 64 bytes.
        return (kept + backwardFloats) * MemoryLayout<Float>.stride + pieces * 63
    }

    private var sourceRows: Int { lengths.sourceRows }
    private var targetRows: Int { lengths.targetRows }
    private var d: Int { configuration.modelWidth }
    private var inner: Int { configuration.innerWidth }
    private var feedForwardWidth: Int { configuration.feedForwardWidth }

    /// Largest number of pieces taken in one pass: those of a sublayer, its method's, and the hypernetwork's.
    private var pieces: Int { 16 * (2 * configuration.encoderBlocks + 3 * configuration.decoderBlocks) + 64 }

    /// Tokens, slots and segments.
    private var tokenWords: Int { sourceRows + targetRows + 7 * lengths.examples }

    /// Memory that is not kept (`PassScratch`).
    private var scratchFloats: Int { max(sourceRows, targetRows) * (2 * d + inner + feedForwardWidth) }

    /// Residual and its bits, factor of the norm, what the method keeps at both groups, and what it reads after the output projection.
    private func sublayerRow(_ kind: Sublayer.Kind) -> Int {
        d + bits(d) + 1 + 2 * method.perRow + method.kept(kind, d)
    }

    /// Floats for a bit for each of `count` numbers.
    private func bits(_ count: Int) -> Int {
        BitMask.byteCount(rows: 1, columns: count) / MemoryLayout<Float>.stride
    }

    /// Probabilities and their bits: for all heads, with `pairs` of queries and keys in all examples.
    private func probabilities(_ pairs: Int) -> Int {
        configuration.heads * (pairs + bits(pairs) + 2 * lengths.examples)
    }

    /// With ReLU a bit for each element, otherwise both gates.
    private var feedForwardRow: Int {
        let activation = configuration.feedForward == .relu ? bits(feedForwardWidth) : 2 * feedForwardWidth
        return sublayerRow(.feedForward) + activation + method.kept(.feedForwardInput, d)
            + method.kept(.feedForwardOutput, feedForwardWidth)
    }

    /// A row of self-attention without its probabilities.
    private var selfRow: Int {
        sublayerRow(.selfAttention) + 3 * inner + method.kept(.selfInput, d) + method.kept(.selfOutput, inner)
    }

    private var encoderFloats: Int {
        let perBlock = sourceRows * (selfRow + feedForwardRow) + probabilities(lengths.sourcePairs)
        return configuration.encoderBlocks * perBlock + sourceRows * (3 * d + 1)
    }

    private var decoderFloats: Int {
        let cross =
            sublayerRow(.crossAttention) + inner + method.kept(.crossQuery, d) + method.kept(.crossOutput, inner)
        let perBlock =
            targetRows * (selfRow + cross + feedForwardRow) + sourceRows * (2 * inner + method.perRow)
            + probabilities(lengths.targetPairs) + probabilities(lengths.crossPairs)
        return configuration.decoderBlocks * perBlock + targetRows * (3 * d + 1)
    }

    /// A trained position bias of each stack and its gradients, by distance.
    private var positionFloats: Int {
        guard method.trainsPositions else { return 0 }
        return 2 * configuration.heads * 2 * (lengths.longestSource + lengths.longestTarget)
    }

    private var outputFloats: Int { targetRows * configuration.vocabularySize }

    /// The gradients of both residual streams and of the encoder's output, and the largest addition of a single sublayer.
    private var backwardFloats: Int {
        let encoder =
            sourceRows * d + max(feedForwardBackward(sourceRows), selfBackward(sourceRows, lengths.longestSource))
        let decoder = max(
            targetRows * d, feedForwardBackward(targetRows), selfBackward(targetRows, lengths.longestTarget),
            crossBackward)
        return sourceRows * d + targetRows * d + max(encoder, decoder)
            + configuration.smallProductFloats(keys: max(lengths.longestSource, lengths.longestTarget), method: method)
    }

    /// The gradient of what the method reads after an output projection.
    private func behindOutput(_ kind: Sublayer.Kind) -> Int { method.kept(kind, d) }

    private func feedForwardBackward(_ rows: Int) -> Int {
        rows * (2 * d + behindOutput(.feedForward) + feedForwardWidth + method.perRowInBackward)
    }

    private func selfBackward(_ rows: Int, _ length: Int) -> Int {
        rows * (d + behindOutput(.selfAttention) + 4 * inner)
            + max(rows * (d + method.perRowInBackward), 2 * length * length)
    }

    private var crossBackward: Int {
        let before = targetRows * (d + behindOutput(.crossAttention) + 2 * inner) + sourceRows * 2 * inner
        let after = max(sourceRows * method.perRowInBackward, targetRows * (d + method.perRowInBackward))
        return before + max(after, 2 * lengths.longestSource * lengths.longestTarget)
    }
}

extension T5Configuration {
    /// What one product of a head, or of the method, borrows for panels or sums (`smallProduct`, `addOuterProduct`).
    func smallProductFloats(keys: Int, method: MethodFootprint) -> Int {
        func whole(_ count: Int) -> Int { (count + 15) / 16 * 16 }
        let head = whole(keys) * whole(headWidth)
        guard method.narrowSide > 0 else { return head }
        let widest = max(modelWidth, innerWidth, feedForwardWidth)
        return max(head, whole(widest) * whole(method.narrowSide))
    }
}
