/// The hypernetwork's sizes and inputs.
public struct HypernetworkOptions: Sendable, Equatable {
    /// One input of the hypernetwork.
    public enum Input: String, Sendable, CaseIterable {
        case task
        case position
        case sample
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

    /// The paper's sizes.
    public init() {}
}
