/// How much of a worker's workspace a method needs in addition to the backbone, in floats.
public struct MethodFootprint: Sendable, Equatable {
    /// The kinds of groups of which some are adapted or trained: the inputs of these groups are kept for the backward.
    public var keptInputs: Set<GroupKind>
    /// The kinds of sublayers of which some are adapted after their output projection: the output of that projection is kept.
    public var keptOutputs: Set<Sublayer.Kind>
    /// Whether a stack's position bias is trained: then a pass expands the bias again, and sums its gradients.
    public var trainsPositions: Bool
    /// Floats that `forward` keeps for each row at one group of projections, at most. Generation has `perRowInGeneration`
    /// instead.
    public var perRow: Int
    /// Floats in use for each row while the backward is at one group, in addition to what is kept.
    public var perRowInBackward: Int
    /// Floats in use for each row during generation, at both groups of a sublayer together.
    public var perRowInGeneration: Int
    /// Floats kept for each example, whatever its length.
    public var perExample: Int
    /// Floats kept for each task of a batch; half of them are gradients.
    public var perTask: Int
    /// The number of tasks there are.
    public var tasks: Int
    /// The narrower side of the method's widest small product (`smallProduct`, `addOuterProduct`); 0 for none.
    public var narrowSide: Int
    /// Widths of the inputs that a training pass takes in blocks of rows (`RowBlocks`), or with `takesWholeInputs` as a whole.
    public var inputWidths: Set<Int>
    /// Whether inputs are taken as a whole.
    public var takesWholeInputs: Bool

    /// Creates a footprint; by default a method needs nothing.
    public init(
        keptInputs: Set<GroupKind> = [], keptOutputs: Set<Sublayer.Kind> = [], trainsPositions: Bool = false,
        perRow: Int = 0, perRowInBackward: Int = 0, perRowInGeneration: Int = 0, perExample: Int = 0,
        perTask: Int = 0, tasks: Int = 0, narrowSide: Int = 0, inputWidths: Set<Int> = [],
        takesWholeInputs: Bool = false
    ) {
        self.keptInputs = keptInputs
        self.keptOutputs = keptOutputs
        self.trainsPositions = trainsPositions
        self.perRow = perRow
        self.perRowInBackward = perRowInBackward
        self.perRowInGeneration = perRowInGeneration
        self.perExample = perExample
        self.perTask = perTask
        self.tasks = tasks
        self.narrowSide = narrowSide
        self.inputWidths = inputWidths
        self.takesWholeInputs = takesWholeInputs
    }

    /// Floats kept for the examples and tasks of a batch, whatever their lengths are; half of them are gradients.
    public func kept(examples: Int) -> Int { examples * perExample + min(examples, tasks) * perTask }

    /// Floats of a training pass over `rows` rows for the largest block of rows of an input.
    public func inputFloats(rows: Int) -> Int {
        takesWholeInputs ? rows * (inputWidths.max() ?? 0) : RowBlocks.largest(inputWidths, rows: rows)
    }

    /// Those, and floats for the sums of an input's gradient.
    public func blocks(rows: Int) -> Int { inputFloats(rows: rows) + (inputWidths.max() ?? 0) * narrowSide }

    /// `width` if groups of that kind keep their input, otherwise 0.
    public func kept(_ kind: GroupKind, _ width: Int) -> Int { keptInputs.contains(kind) ? width : 0 }

    /// `width` if sublayers of that kind keep their output, otherwise 0.
    public func kept(_ kind: Sublayer.Kind, _ width: Int) -> Int { keptOutputs.contains(kind) ? width : 0 }
}
