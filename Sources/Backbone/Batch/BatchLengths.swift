/// The lengths of a batch's examples, in the form that memory estimates need.
public struct BatchLengths: Sendable, Equatable {
    /// Number of examples.
    public private(set) var examples = 0
    /// Tokens of all sources.
    public private(set) var sourceRows = 0
    /// Tokens of all targets.
    public private(set) var targetRows = 0
    /// Sums over the examples of source x source, target x target and target x source: elements of one head's attention.
    public private(set) var sourcePairs = 0
    /// See `sourcePairs`.
    public private(set) var targetPairs = 0
    /// See `sourcePairs`.
    public private(set) var crossPairs = 0
    /// The longest source and target.
    public private(set) var longestSource = 0
    /// See `longestSource`.
    public private(set) var longestTarget = 0

    /// Creates the lengths of a batch without examples.
    public init() {}

    /// Creates the lengths of `examples` examples with equal lengths.
    public init(examples: Int, source: Int, target: Int) {
        self.examples = examples
        (sourceRows, targetRows) = (examples * source, examples * target)
        (sourcePairs, targetPairs, crossPairs) = (sourceRows * source, targetRows * target, targetRows * source)
        (longestSource, longestTarget) = (source, target)
    }

    /// Adds an example.
    public mutating func append(source: Int, target: Int) {
        examples += 1
        sourceRows += source
        targetRows += target
        sourcePairs += source * source
        targetPairs += target * target
        crossPairs += target * source
        longestSource = max(longestSource, source)
        longestTarget = max(longestTarget, target)
    }
}
