/// How long a step takes on many ranks, predicted from parts that were measured on few (docs/scaling.md).
///
///     step(P)   = U u + F + W w + G s + reduce(P)                              [s]
///     reduce(P) = h D + 2 ceil(log2 P) a + f D r / B,    D = 2 (P - 1) / P * bytes
///
/// U: cost units of the busiest worker of all ranks, for examples drawn from token lengths and then cut and shared out like in
/// the trainer; G: examples of the global batch. The last two terms of `reduce` are 0 while all ranks are on one node. The
/// algorithm is recursive halving and doubling, which Open MPI 4.1 and 5 use for this size; a ring has 2 (P - 1) a.
public struct ScalingModel: Sendable {
    /// The measured parts; the defaults are those of docs/scaling.md.
    public struct Parts: Encodable, Equatable, Sendable {
        /// u: seconds of one core for a cost unit, a source token or half a target token.
        public var unitSeconds = 6.22e-3
        /// F: seconds of a step that do not depend on the number of ranks: gradient, clipping, AdamW, snapshot.
        public var fixedSeconds = 6e-3
        /// w: seconds of a step for summing the gradients of one worker of a rank.
        public var workerSeconds = 1.2e-3
        /// s: seconds on every rank for each example of the global batch: sampling, cutting and sharing out.
        public var slotSeconds = 1e-6
        /// a: seconds of a message, in one direction.
        public var latency = 0.2e-3
        /// f: time on the link divided by the time that the bytes alone would take.
        public var inefficiency = 2.1
        /// h: seconds on a rank for each byte that it sends in a reduction: copies, additions.
        public var byteSeconds = 2.5e-9
        /// Bytes that each rank reduces.
        public var bytes = 7_078_184

        /// Creates the defaults.
        public init() {}
    }

    /// The layout of ranks and batches.
    public struct Layout: Encodable, Sendable {
        /// Examples in a micro-batch.
        public var micro = 4
        /// W: workers of a rank.
        public var threads = 1
        /// r: ranks that share the link of a node.
        public var ranksPerNode = 1
        /// Number of steps that are drawn.
        public var steps = 20
        /// Seed of the draws.
        public var seed: UInt64 = 1

        /// Creates the defaults.
        public init() {}
    }

    /// The size of the global batch.
    public enum Batch: Encodable, Sendable {
        /// This many examples for each rank.
        case perRank(Int)
        /// This many examples in all.
        case global(Int)

        func examples(ranks: Int) -> Int {
            switch self {
            case .perRank(let count): count * ranks
            case .global(let count): count
            }
        }
    }

    /// The work of a step in cost units, as a mean over the drawn steps.
    struct Work: Equatable {
        /// U: cost units of the busiest worker.
        var busiest: Double
        /// Cost units of all workers, divided by their number.
        var mean: Double
    }

    let parts: Parts
    let layout: Layout
    let lengths: TokenLengths

    /// Creates a model; the examples' lengths are drawn from `lengths`.
    public init(parts: Parts, layout: Layout, lengths: TokenLengths) {
        self.parts = parts
        self.layout = layout
        self.lengths = lengths
    }

    /// Seconds of the reduction over `ranks` ranks with links of `bitsPerSecond`.
    func reduction(ranks: Int, bitsPerSecond: Double) -> Double {
        guard ranks > 1 else { return 0 }
        let sent = 2 * Double(ranks - 1) / Double(ranks) * Double(parts.bytes)
        let host = parts.byteSeconds * sent
        guard ranks > layout.ranksPerNode else { return host }
        let rounds = Int.bitWidth - (ranks - 1).leadingZeroBitCount
        return host + 2 * Double(rounds) * parts.latency
            + parts.inefficiency * sent * Double(layout.ranksPerNode) * 8 / bitsPerSecond
    }

    /// Seconds of a step without computing and reducing.
    func overhead(examples: Int) -> Double {
        parts.fixedSeconds + Double(layout.threads) * parts.workerSeconds + Double(examples) * parts.slotSeconds
    }

    /// Micro-batches of a global batch.
    func microBatches(_ examples: Int) -> Int { (examples + layout.micro - 1) / layout.micro }
}
