/// What a method takes of a worker's workspace beside the backbone, in floats.
public struct MethodFootprint: Sendable, Equatable {
    /// The kinds of groups of which some are adapted or trained: their inputs are kept for the backward.
    public var keptInputs: Set<GroupKind>
    /// The kinds of sublayers of which some have something after their output projection: what that reads is kept.
    public var keptOutputs: Set<Sublayer.Kind>
    /// Whether a stack's position bias is trained: then a pass spreads it out anew, and sums its gradients.
    public var trainsPositions: Bool
    /// Kept for each row at a group of projections, at most.
    public var perRow: Int
    /// In use for each row while the backward is at one group, beside what is kept.
    public var perRowInBackward: Int
    /// In use for each row of a sublayer while answers are generated.
    public var perRowInGeneration: Int
    /// Kept for each example, whatever its length.
    public var perExample: Int
    /// The narrower side of its widest small product (`smallProduct`, `addOuterProduct`); 0 for none.
    public var narrowSide: Int

    /// Creates a method's part; nothing at all by default.
    public init(
        keptInputs: Set<GroupKind> = [], keptOutputs: Set<Sublayer.Kind> = [], trainsPositions: Bool = false,
        perRow: Int = 0, perRowInBackward: Int = 0, perRowInGeneration: Int = 0, perExample: Int = 0,
        narrowSide: Int = 0
    ) {
        self.keptInputs = keptInputs
        self.keptOutputs = keptOutputs
        self.trainsPositions = trainsPositions
        self.perRow = perRow
        self.perRowInBackward = perRowInBackward
        self.perRowInGeneration = perRowInGeneration
        self.perExample = perExample
        self.narrowSide = narrowSide
    }

    /// `width` where a group of that kind keeps its input, else 0.
    public func kept(_ kind: GroupKind, _ width: Int) -> Int { keptInputs.contains(kind) ? width : 0 }

    /// `width` where a sublayer of that kind keeps its output, else 0.
    public func kept(_ kind: Sublayer.Kind, _ width: Int) -> Int { keptOutputs.contains(kind) ? width : 0 }
}
