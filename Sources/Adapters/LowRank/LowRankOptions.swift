import Backbone

/// The options of a low-rank method; they come from the run's configuration or from an adapter's.
public struct LowRankOptions: Sendable, Equatable {
    /// The method's short name.
    public enum Method: String, Sendable {
        /// Only the backbone.
        case frozen
        /// One A and B per site, shared by all tasks.
        case unolora
        /// The same, with scales per example and site from a hypernetwork.
        case unoloraStar = "unolora_star"
        /// An A and B per site and task.
        case loraPerTask = "lora_per_task"
    }

    /// How A starts. It applies to all methods, so that they can be compared from the same start; B always starts at 0.
    public enum AInitialisation: String, Sendable {
        /// U(-1/sqrt(in), 1/sqrt(in)).
        case kaimingIn
        /// U(-1/sqrt(r), 1/sqrt(r)) with r = rankA, as in the authors' code for `unolora_star`.
        case kaimingRank
    }

    /// Which dropout masks the low-rank inputs draw.
    public enum DropoutMask: String, Sendable {
        /// One mask per input tensor, shared by the sites that read it.
        case perInput
        /// One mask per site, as PEFT does.
        case perSite
    }

    /// The method.
    public var method: Method
    /// Rows of A.
    public var rankA: Int
    /// Columns of B; when it differs from `rankA`, a core C `[rankB, rankA]` is between A and B.
    public var rankB: Int
    /// The update is scaled by alpha / rankA.
    public var alpha: Double
    /// Number of tasks.
    public var tasks: Int
    /// Adapted projections.
    public var targets: LoraTargets
    /// Dropout rate at the input of the low-rank path.
    public var dropout: Double
    /// How the masks of that dropout are drawn.
    public var dropoutMask: DropoutMask
    /// How A starts.
    public var aInitialisation: AInitialisation
    /// Whether every A stays as it began.
    public var freezesA = false
    /// Whether every B stays as it began.
    public var freezesB = false
    /// The hypernetwork of `unolora_star`.
    public var hyper: HypernetworkOptions

    /// Creates options; the defaults are the paper's.
    public init(
        method: Method, rankA: Int = 8, rankB: Int? = nil, alpha: Double = 16, tasks: Int,
        targets: LoraTargets = .queryAndValue, dropout: Double = 0.1, dropoutMask: DropoutMask = .perInput,
        aInitialisation: AInitialisation = .kaimingIn, hyper: HypernetworkOptions = HypernetworkOptions()
    ) {
        self.method = method
        self.rankA = rankA
        self.rankB = rankB ?? rankA
        self.alpha = alpha
        self.tasks = tasks
        self.targets = targets
        self.dropout = dropout
        self.dropoutMask = dropoutMask
        self.aInitialisation = aInitialisation
        self.hyper = hyper
    }
}

/// Which projections are adapted.
public struct LoraTargets: Sendable, Equatable {
    /// Leaves (q, k, v, o) of the encoder's self-attention.
    public var encoderSelf: Set<String>
    /// Leaves of the decoder's self-attention.
    public var decoderSelf: Set<String>
    /// Leaves of the decoder's cross-attention.
    public var decoderCross: Set<String>
    /// Leaves (wi, wi_0, wi_1, wo) of both stacks' feed-forwards.
    public var feedForward: Set<String>

    /// Creates targets.
    public init(
        encoderSelf: Set<String>, decoderSelf: Set<String>, decoderCross: Set<String>, feedForward: Set<String>
    ) {
        self.encoderSelf = encoderSelf
        self.decoderSelf = decoderSelf
        self.decoderCross = decoderCross
        self.feedForward = feedForward
    }

    /// q and v of all three attentions.
    public static let queryAndValue = LoraTargets(
        encoderSelf: ["q", "v"], decoderSelf: ["q", "v"], decoderCross: ["q", "v"], feedForward: [])

    /// Whether a projection of a group is adapted.
    func contains(_ leaf: String, in group: ProjectionGroup) -> Bool {
        switch group.kind {
        case .selfInput, .selfOutput: (group.stack == .encoder ? encoderSelf : decoderSelf).contains(leaf)
        case .crossQuery, .crossMemory, .crossOutput: decoderCross.contains(leaf)
        case .feedForwardInput, .feedForwardOutput: feedForward.contains(leaf)
        }
    }
}
