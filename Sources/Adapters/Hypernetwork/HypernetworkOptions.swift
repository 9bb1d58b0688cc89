/// The hypernetwork's sizes and inputs.
public struct HypernetworkOptions: Sendable, Equatable {
    /// One input of the hypernetwork.
    public enum Input: String, Sendable, CaseIterable {
        case task
        case position
        case sample
    }

    /// What of the hypernetwork training changes; the rest stays as it began.
    public enum Trained: Sendable, Equatable {
        case everything
        case nothing
        /// The embeddings of these tasks alone, in ascending order.
        case tasks([Int])
    }

    /// Width of each embedding, h.
    public var dimension = 8
    /// Width of the hypernetwork's output, e.
    public var outputDimension = 8
    /// Width inside the sample encoder.
    public var bottleneck = 16
    /// Inputs that are present, in the order task, position, sample.
    public var inputs: Set<Input> = [.task, .position, .sample]
    /// Whether the scale is `1 + ...`; without the 1 for `zeroMean`.
    public var startsAtOne = true
    /// Site m uses row m modulo this number of the position embedding; nil gives each site its own row.
    public var positionModulus: Int?
    /// What training changes.
    public var trained = Trained.everything

    /// The paper's sizes.
    public init() {}
}
