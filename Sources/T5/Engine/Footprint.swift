import Kernels

/// Memory that a worker's workspace needs for a training micro-batch, from shapes alone.
///
/// It follows the buffers of `T5Engine` one by one, as if the backward went through every sublayer;
/// `FootprintTests` holds it against the workspace's own high-water mark.
public struct Footprint: Sendable {
    /// What a low-rank method takes beside the backbone.
    public struct LowRank: Sendable, Equatable {
        /// Largest number of low-rank columns (rank times sites) at one input.
        public var columns: Int
        /// Width of the widest input that has a site.
        public var inputWidth: Int
        /// The larger of the two ranks.
        public var rank: Int
        /// Floats for each example whatever its length (hypernetwork).
        public var perExample: Int
        /// The kinds of groups of which some have sites: their inputs are kept for the backward.
        public var adapted: Set<GroupKind>

        /// Creates a method's part; nothing at all by default.
        public init(
            columns: Int = 0, inputWidth: Int = 0, rank: Int = 0, perExample: Int = 0, adapted: Set<GroupKind> = []
        ) {
            self.columns = columns
            self.inputWidth = inputWidth
            self.rank = rank
            self.perExample = perExample
            self.adapted = adapted
        }

        /// `width` where a group of that kind keeps its input, else 0.
        fileprivate func kept(_ kind: GroupKind, _ width: Int) -> Int { adapted.contains(kind) ? width : 0 }

        /// What its backward has in use at one input: gradient and middle of each site, dropped input, its gradient.
        fileprivate var backwardRow: Int { columns + 3 * rank + 2 * inputWidth }
    }

    private let configuration: T5Configuration
    private let lengths: BatchLengths
    private let method: LowRank

    /// The footprint of a micro-batch.
    public init(configuration: T5Configuration, lengths: BatchLengths, method: LowRank) {
        self.configuration = configuration
        self.lengths = lengths
        self.method = method
    }

    /// Bytes of a training pass: forward, kept activations and backward.
    public var trainingBytes: Int {
        let kept =
            tokenWords + scratchFloats + encoderFloats + decoderFloats + outputFloats
            + lengths.examples * method.perExample
        // Every piece starts at a multiple of 64 bytes.
        return (kept + backwardFloats) * MemoryLayout<Float>.stride + pieces * 63
    }

    private var sourceRows: Int { lengths.sourceRows }
    private var targetRows: Int { lengths.targetRows }
    private var d: Int { configuration.modelWidth }
    private var inner: Int { configuration.innerWidth }
    private var feedForwardWidth: Int { configuration.feedForwardWidth }

    /// Pieces taken in one pass, at most: those of a sublayer, its method's, and the hypernetwork's.
    private var pieces: Int { 12 * (2 * configuration.encoderBlocks + 3 * configuration.decoderBlocks) + 64 }

    /// Tokens, slots and segments.
    private var tokenWords: Int { sourceRows + targetRows + 7 * lengths.examples }

    /// What is not kept (`PassScratch`).
    private var scratchFloats: Int { max(sourceRows, targetRows) * (2 * d + inner + feedForwardWidth) }

    /// Residual, factor of the norm, and the low-rank columns of both groups.
    private var sublayerRow: Int { d + 1 + 2 * method.columns }

    /// With ReLU a bit for each element, else both gates.
    private var feedForwardRow: Int {
        let mask = BitMask.byteCount(rows: 1, columns: feedForwardWidth) / MemoryLayout<Float>.stride
        let activation = configuration.feedForward == .relu ? mask : 2 * feedForwardWidth
        return sublayerRow + activation + method.kept(.feedForwardInput, d)
            + method.kept(.feedForwardOutput, feedForwardWidth)
    }

    /// A row of self-attention without its probabilities.
    private var selfRow: Int {
        sublayerRow + 3 * inner + method.kept(.selfInput, d) + method.kept(.selfOutput, inner)
    }

    private var encoderFloats: Int {
        let perBlock = sourceRows * (selfRow + feedForwardRow) + configuration.heads * lengths.sourcePairs
        return configuration.encoderBlocks * perBlock + sourceRows * (3 * d + 1)
    }

    private var decoderFloats: Int {
        let cross = sublayerRow + inner + method.kept(.crossQuery, d) + method.kept(.crossOutput, inner)
        let perBlock =
            targetRows * (selfRow + cross + feedForwardRow) + sourceRows * (2 * inner + method.columns)
            + configuration.heads * (lengths.targetPairs + lengths.crossPairs)
        return configuration.decoderBlocks * perBlock + targetRows * (3 * d + 1)
    }

    private var outputFloats: Int { targetRows * configuration.vocabularySize }

    /// The gradients of both residual streams and of the encoder's output, and the most that one sublayer adds.
    private var backwardFloats: Int {
        let encoder =
            sourceRows * d + max(feedForwardBackward(sourceRows), selfBackward(sourceRows, lengths.longestSource))
        let decoder = max(
            targetRows * d, feedForwardBackward(targetRows), selfBackward(targetRows, lengths.longestTarget),
            crossBackward)
        return sourceRows * d + targetRows * d + max(encoder, decoder)
            + configuration.smallProductFloats(keys: max(lengths.longestSource, lengths.longestTarget), method: method)
    }

    private func feedForwardBackward(_ rows: Int) -> Int {
        rows * (2 * d + feedForwardWidth + method.backwardRow)
    }

    private func selfBackward(_ rows: Int, _ length: Int) -> Int {
        rows * (d + 4 * inner) + max(rows * (d + method.backwardRow), 2 * length * length)
    }

    private var crossBackward: Int {
        let before = targetRows * (d + 2 * inner) + sourceRows * 2 * inner
        let after = max(sourceRows * method.backwardRow, targetRows * (d + method.backwardRow))
        return before + max(after, 2 * lengths.longestSource * lengths.longestTarget)
    }
}

extension T5Configuration {
    /// What one product of a head, or one of the method, lends for panels or sums (`smallProduct`, `addOuterProduct`).
    func smallProductFloats(keys: Int, method: Footprint.LowRank) -> Int {
        func whole(_ count: Int) -> Int { (count + 15) / 16 * 16 }
        let head = whole(keys) * whole(headWidth)
        guard method.columns > 0 else { return head }
        let widest = max(modelWidth, innerWidth, feedForwardWidth)
        return max(head, whole(widest) * whole(max(method.columns, method.rank)))
    }
}
