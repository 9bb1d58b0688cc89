/// What a step takes on many ranks, from parts that were measured on few (docs/scaling.md).
///
///     step(P)   = U u + F + W w + G s + reduce(P)                              [s]
///     reduce(P) = h D + 2 ceil(log2 P) a + f D r / B,    D = 2 (P - 1) / P * bytes
///
/// U: cost units of the busiest worker of all ranks, of examples that are drawn from token lengths, cut and shared out as
/// the trainer does it; G: examples of the global batch. The last two terms of `reduce` are 0 while all ranks are on one
/// node.
/// The algorithm is recursive halving and doubling, which Open MPI 4.1 and 5 take for this size; a ring has 2 (P - 1) a.
public struct ScalingModel: Sendable {
    /// The measured parts; the defaults are those of docs/scaling.md.
    public struct Parts: Encodable, Equatable, Sendable {
        /// u: seconds of one core for a cost unit, a source token or half a target token.
        public var unitSeconds = 6.22e-3
        /// F: seconds of a step that no number of ranks makes shorter: gradient, clipping, AdamW, snapshot.
        public var fixedSeconds = 6e-3
        /// w: seconds of a step to sum the gradients of one worker of a rank.
        public var workerSeconds = 1.2e-3
        /// s: seconds of every rank for each example of the global batch: sampling, cut and sharing out.
        public var slotSeconds = 1e-6
        /// a: seconds of a message, one way.
        public var latency = 0.2e-3
        /// f: time on the link over what the bytes alone would take.
        public var inefficiency = 2.1
        /// h: seconds of a rank for each byte that it sends in a reduction: copies, additions.
        public var byteSeconds = 2.5e-9
        /// Bytes that each rank reduces.
        public var bytes = 7_078_184

        /// The defaults.
        public init() {}
    }

    /// How ranks and batches are laid out.
    public struct Layout: Encodable, Sendable {
        /// Examples in a micro-batch.
        public var micro = 4
        /// W: workers of a rank.
        public var threads = 1
        /// r: ranks that share the link of a node.
        public var ranksPerNode = 1
        /// Steps that are drawn.
        public var steps = 20
        /// Seed of the draws.
        public var seed: UInt64 = 1

        /// The defaults.
        public init() {}
    }

    /// How large the global batch is.
    public enum Batch: Encodable, Sendable {
        /// So many examples for each rank.
        case perRank(Int)
        /// So many examples in all.
        case global(Int)

        func examples(ranks: Int) -> Int {
            switch self {
            case .perRank(let count): count * ranks
            case .global(let count): count
            }
        }
    }

    /// What a step computes, in cost units, as a mean over the drawn steps.
    struct Work: Equatable {
        /// U: of the busiest worker.
        var busiest: Double
        /// Of all workers, over their number.
        var mean: Double
    }

    let parts: Parts
    let layout: Layout
    let lengths: TokenLengths

    /// A model; the examples' lengths are drawn from `lengths`.
    public init(parts: Parts, layout: Layout, lengths: TokenLengths) {
        self.parts = parts
        self.layout = layout
        self.lengths = lengths
    }

    /// Seconds of the reduction over so many ranks with links of `bitsPerSecond`.
    func reduction(ranks: Int, bitsPerSecond: Double) -> Double {
        guard ranks > 1 else { return 0 }
        let sent = 2 * Double(ranks - 1) / Double(ranks) * Double(parts.bytes)
        let host = parts.byteSeconds * sent
        guard ranks > layout.ranksPerNode else { return host }
        let rounds = Int.bitWidth - (ranks - 1).leadingZeroBitCount
        return host + 2 * Double(rounds) * parts.latency
            + parts.inefficiency * sent * Double(layout.ranksPerNode) * 8 / bitsPerSecond
    }

    /// Seconds of a step beside computing and reducing.
    func overhead(examples: Int) -> Double {
        parts.fixedSeconds + Double(layout.threads) * parts.workerSeconds + Double(examples) * parts.slotSeconds
    }

    /// Micro-batches of a global batch.
    func microBatches(_ examples: Int) -> Int { (examples + layout.micro - 1) / layout.micro }
}
