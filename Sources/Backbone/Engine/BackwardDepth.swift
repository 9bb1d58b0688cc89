/// How far down a backward has to go: to the lowest trained sublayer of each stack and no further.
public struct BackwardDepth: Sendable {
    /// The backbone's own tensors, apart from projections, that a method trains.
    public struct TrainedParts: Sendable {
        /// Sublayers whose norm is trained.
        public var norms: Set<Sublayer> = []
        /// Stacks whose final norm is trained.
        public var finalNorms: Set<Stack> = []
        /// Stacks whose position bias is trained; all self-attentions of the stack add to its gradient.
        public var biases: Set<Stack> = []
        /// Whether the embedding is trained, which lies below everything.
        public var embedding = false
        /// Whether the output matrix is trained, which lies above everything.
        public var output = false

        /// Creates it with nothing trained.
        public init() {}
    }

    private let adapted: [Bool]
    private let adaptedInside: Set<Sublayer>
    private let trained: TrainedParts
    private let lowest: [Stack: Sublayer]
    /// Whether the gradient of the encoder's output is needed; it comes through every cross-attention.
    public let needsMemoryGradient: Bool
    /// Whether there is nothing to compute at all.
    public let isEmpty: Bool

    /// The depth for a method on a backbone with these groups. `trained` are the tensors of the backbone that the method trains,
    /// apart from projections.
    public init(_ groups: [ProjectionGroup], _ adaptation: (any Adaptation)?, trained: TrainedParts) {
        self.init(
            groups: groups,
            adapts: { group in
                guard let adaptation else { return false }
                return adaptation.adapts(group)
                    || group.projections.contains { adaptation.gradient(of: $0.name + ".weight") != nil }
            },
            outputs: Set(groups.map(\.sublayer).filter { adaptation?.adapts($0) ?? false }), trained: trained)
    }

    /// - Parameters:
    ///   - adapts: whether a group has trainables of the method or trained weights; then its input is kept.
    ///   - outputs: sublayers with trainables after their output projection.
    private init(
        groups: [ProjectionGroup], adapts: (ProjectionGroup) -> Bool, outputs: Set<Sublayer>, trained: TrainedParts
    ) {
        adapted = groups.map(adapts)
        let adaptedGroups = groups.filter { [adapted] in adapted[$0.index] }
        adaptedInside = Set(adaptedGroups.filter { $0.kind.readsStream || $0.kind == .crossMemory }.map(\.sublayer))
        self.trained = trained
        var reached = outputs.union(trained.norms).union(adaptedGroups.map(\.sublayer))
        for stack in trained.biases { reached.insert(Sublayer(stack, 0, .selfAttention)) }
        needsMemoryGradient =
            groups.contains { $0.stack == .encoder }
            && (trained.embedding || trained.finalNorms.contains(.encoder) || reached.contains { $0.stack == .encoder })
        // The gradient of the encoder's output comes through every cross-attention, down to that of block 0.
        if needsMemoryGradient { reached.insert(Sublayer(.decoder, 0, .crossAttention)) }
        var lowest: [Stack: Sublayer] = [:]
        for sublayer in reached {
            if let known = lowest[sublayer.stack], !known.isAbove(sublayer) { continue }
            lowest[sublayer.stack] = sublayer
        }
        self.lowest = lowest
        isEmpty = lowest.isEmpty && !trained.embedding && !trained.output && trained.finalNorms.isEmpty
    }

    /// Whether the group has trainables or trained weights; the backward then needs the group's input.
    public func adapts(_ group: ProjectionGroup) -> Bool { adapted[group.index] }

    /// Whether anything in the sublayer or below it in its stack is trained.
    public func reaches(_ sublayer: Sublayer) -> Bool {
        trained.embedding || lowest[sublayer.stack].map { !$0.isAbove(sublayer) } ?? false
    }

    /// Whether anything below the sublayer in its stack is trained.
    public func goesBelow(_ sublayer: Sublayer) -> Bool {
        trained.embedding || lowest[sublayer.stack].map { sublayer.isAbove($0) } ?? false
    }

    /// Whether anything is trained below the final norm of a stack.
    public func goesBelowFinalNorm(_ stack: Stack) -> Bool { trained.embedding || lowest[stack] != nil }

    /// Whether the gradient of the output of a stack's final norm is needed.
    public func needsFinalNormGradient(_ stack: Stack) -> Bool {
        goesBelowFinalNorm(stack) || trained.finalNorms.contains(stack)
    }

    /// Whether the embedding is trained.
    public var reachesEmbedding: Bool { trained.embedding }

    /// Whether the gradient of the output of the sublayer's norm is needed.
    public func needsNormGradient(_ sublayer: Sublayer) -> Bool {
        goesBelow(sublayer) || trained.norms.contains(sublayer)
    }

    /// Whether the gradient of the input of the sublayer's output projection is needed.
    public func needsInnerGradient(_ sublayer: Sublayer) -> Bool {
        needsNormGradient(sublayer) || adaptedInside.contains(sublayer)
            || (sublayer.kind == .selfAttention && trained.biases.contains(sublayer.stack))
            || (sublayer.kind == .crossAttention && needsMemoryGradient)
    }

    /// Whether the gradient of a group's input is computed.
    public func needsInputGradient(_ group: ProjectionGroup) -> Bool {
        guard reaches(group.sublayer) else { return false }
        return switch group.kind {
        case .selfInput, .crossQuery, .feedForwardInput: needsNormGradient(group.sublayer)
        case .crossMemory: needsMemoryGradient
        case .selfOutput, .crossOutput, .feedForwardOutput: needsInnerGradient(group.sublayer)
        }
    }
}
