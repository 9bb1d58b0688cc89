/// The examples of one micro-batch: the tokens of all examples end to end, and the lengths.
public struct RaggedBatch: Sendable, Equatable {
    /// Source tokens of all examples, the end token included: `[sum of source lengths]`.
    public private(set) var sources: [Int32] = []
    /// Target tokens of all examples, the end token included: `[sum of target lengths]`.
    public private(set) var targets: [Int32] = []
    /// Source tokens of each example.
    public private(set) var sourceLengths: [Int] = []
    /// Target tokens of each example; 0 when the batch is only for generating answers.
    public private(set) var targetLengths: [Int] = []
    /// Task of each example.
    public private(set) var tasks: [Int] = []
    /// Place of each example in the global batch, which keys its dropout.
    public private(set) var slots: [UInt32] = []

    /// Creates an empty batch.
    public init() {}

    /// Number of examples.
    public var count: Int { tasks.count }

    /// Appends an example; it must have at least one source token.
    public mutating func append(
        source: some Collection<Int32>, target: some Collection<Int32>, task: Int, slot: UInt32
    ) {
        precondition(!source.isEmpty, "an example without source tokens")
        sources.append(contentsOf: source)
        targets.append(contentsOf: target)
        sourceLengths.append(source.count)
        targetLengths.append(target.count)
        tasks.append(task)
        slots.append(slot)
    }

    /// Pads the target of the last example with `token` to `length` tokens; a longer target stays as it is.
    public mutating func padLastTarget(to length: Int, with token: Int32) {
        guard let own = targetLengths.last, own < length else { return }
        targets.append(contentsOf: repeatElement(token, count: length - own))
        targetLengths[targetLengths.count - 1] = length
    }

    /// The same examples with each target padded with `token` to `length` tokens; longer targets stay as they are.
    public func paddingTargets(to length: Int, with token: Int32) -> RaggedBatch {
        var padded = RaggedBatch()
        var (source, target) = (0, 0)
        for example in 0..<count {
            let (sourceEnd, targetEnd) = (source + sourceLengths[example], target + targetLengths[example])
            padded.append(
                source: sources[source..<sourceEnd], target: targets[target..<targetEnd], task: tasks[example],
                slot: slots[example])
            padded.padLastTarget(to: length, with: token)
            (source, target) = (sourceEnd, targetEnd)
        }
        return padded
    }

    /// Removes all examples; the memory stays.
    public mutating func removeAll() {
        sources.removeAll(keepingCapacity: true)
        targets.removeAll(keepingCapacity: true)
        sourceLengths.removeAll(keepingCapacity: true)
        targetLengths.removeAll(keepingCapacity: true)
        tasks.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
    }
}
