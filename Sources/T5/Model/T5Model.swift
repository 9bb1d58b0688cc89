public import Backbone
public import Failures
public import Kernels
public import Tensors

/// A frozen T5: views of its weights. All workers share the memory and, where the file allows it, all ranks of a node do.
public final class T5Model: Sendable {
    /// The shape of the model.
    public let configuration: T5Configuration
    /// All projection groups, encoder first, in the order of computation.
    public let groups: [ProjectionGroup]
    /// `[vocabulary, d]`.
    public let embedding: FrozenWeight
    /// Output matrix `[vocabulary, d]`; the embedding itself when tied.
    public let output: FrozenMatrix
    /// The longest source or target that the position biases support.
    public let maximumLength: Int

    /// Whether matrices were rounded to bfloat16 while the files hold them as mapped float32. Then a comparison with the
    /// original numbers needs no additional memory.
    public let isRoundedFromMapped: Bool

    private let projections: [FrozenMatrix]
    private let norms: [[[Matrix]]]
    private let finalNorms: [Matrix]
    private let biasTables: [Matrix]
    private let biases: [RelativePositionBias]
    private let groupOffsets: [[Int]]
    /// Stacks whose bias is trained; `biases` holds only its start.
    let trainedBiases: Set<Stack>
    /// Keeps the memory of the views alive.
    private let storage: any Sendable
    private let packs: (any FrozenMemory)?
    /// The files that the weights came from, held open; nil for weights from elsewhere.
    private let files: TensorCollection?

    /// Creates the views. `tensor` returns the weight for each name in `configuration.tensorShapes()` (vectors as one row;
    /// these and the position biases in float32), `storage` owns the memory, and `files` are watched. Throws only what
    /// `packing` throws.
    public init(
        configuration: T5Configuration, maximumLength: Int, storage: any Sendable, packing: WeightPacking? = nil,
        isRoundedFromMapped: Bool = false, files: TensorCollection? = nil, tensor: (String) -> FrozenWeight
    ) throws(Failure) {
        func matrix(_ name: String) -> Matrix {
            guard let matrix = tensor(name).matrix else { preconditionFailure("\(name) is needed in float32") }
            return matrix
        }
        self.isRoundedFromMapped = isRoundedFromMapped
        self.configuration = configuration
        self.maximumLength = maximumLength
        self.storage = storage
        self.files = files
        groups = configuration.projectionGroups()
        var projections = groups.map { FrozenMatrix($0.projections.map { tensor($0.name + ".weight") }) }
        embedding = tensor(T5Configuration.embeddingName)
        var output = FrozenMatrix([
            configuration.outputMatrix == .embedding ? embedding : tensor(T5Configuration.outputName)
        ])
        packs = try packing?.pack(&projections, &output)
        self.projections = projections
        self.output = output
        norms = Stack.allCases.map { stack in
            (0..<configuration.blocks(stack)).map { block in
                configuration.sublayers(stack, block).map { matrix(configuration.normName($0)) }
            }
        }
        finalNorms = Stack.allCases.map { matrix(configuration.finalNormName($0)) }
        biasTables = Stack.allCases.map { matrix(configuration.biasName($0)) }
        biases = zip(Stack.allCases, biasTables).map { stack, table in
            RelativePositionBias(table, configuration.buckets(stack), maximumLength: maximumLength)
        }
        trainedBiases = []
        groupOffsets = Self.offsets(groups)
    }

    /// `other` with trained numbers for some tensors. With `keepsPacks` it keeps the packs of the matrices of which no part is
    /// trained.
    private init(_ other: T5Model, trained: [String: Matrix], of owner: ReadOnlyArena?, keepsPacks: Bool) {
        func weight(_ name: String, _ own: FrozenWeight) -> FrozenWeight { trained[name].map { .float32($0) } ?? own }
        func matrix(_ names: [String], _ own: FrozenMatrix) -> FrozenMatrix {
            if keepsPacks, !names.contains(where: { trained[$0] != nil }) { return own }
            return FrozenMatrix(zip(names, own.parts).map(weight))
        }
        let configuration = other.configuration
        self.configuration = configuration
        maximumLength = other.maximumLength
        groups = other.groups
        isRoundedFromMapped = other.isRoundedFromMapped
        packs = keepsPacks ? other.packs : nil
        storage = (other.storage, owner)
        files = other.files
        groupOffsets = other.groupOffsets
        embedding = weight(T5Configuration.embeddingName, other.embedding)
        let outputName =
            configuration.outputMatrix == .embedding ? T5Configuration.embeddingName : T5Configuration.outputName
        output = matrix([outputName], other.output)
        projections = zip(other.groups, other.projections).map { group, own in
            matrix(group.projections.map { $0.name + ".weight" }, own)
        }
        norms = zip(Stack.allCases, other.norms).map { stack, blocks in
            blocks.enumerated().map { block, own in
                zip(configuration.sublayers(stack, block), own).map { trained[configuration.normName($0)] ?? $1 }
            }
        }
        finalNorms = zip(Stack.allCases, other.finalNorms).map { trained[configuration.finalNormName($0)] ?? $1 }
        biasTables = zip(Stack.allCases, other.biasTables).map { trained[configuration.biasName($0)] ?? $1 }
        biases = other.biases
        trainedBiases = other.trainedBiases.union(
            Stack.allCases.filter { trained[configuration.biasName($0)] != nil })
    }

    private static func offsets(_ groups: [ProjectionGroup]) -> [[Int]] {
        var offsets = [[Int]](repeating: [], count: 2)
        for group in groups where group.kind == .selfInput {
            offsets[Int(group.stack.rawValue)].append(group.index)
        }
        return offsets
    }

    /// The group of a block.
    func group(_ sublayer: Sublayer, _ kind: GroupKind) -> ProjectionGroup {
        let first = groupOffsets[Int(sublayer.stack.rawValue)][sublayer.block]
        let step =
            switch (sublayer.stack, kind) {
            case (_, .selfInput): 0
            case (_, .selfOutput): 1
            case (.encoder, .feedForwardInput): 2
            case (.encoder, _): 3
            case (.decoder, _): Int(kind.rawValue - GroupKind.selfInput.rawValue)
            }
        let group = groups[first + step]
        assert(group.kind == kind && group.sublayer == sublayer)
        return group
    }

    /// The weight of a sublayer's norm, `[1, d]`.
    func norm(_ sublayer: Sublayer) -> Matrix {
        norms[Int(sublayer.stack.rawValue)][sublayer.block][configuration.layer(sublayer)]
    }

    /// The weight of a stack's final norm, `[1, d]`.
    func finalNorm(_ stack: Stack) -> Matrix { finalNorms[Int(stack.rawValue)] }

    /// The position bias of a stack as in the model's file, expanded.
    func bias(_ stack: Stack) -> RelativePositionBias { biases[Int(stack.rawValue)] }

    /// The table of a stack's position bias, `[buckets, heads]`.
    func biasTable(_ stack: Stack) -> Matrix { biasTables[Int(stack.rawValue)] }
}

extension T5Model {
    /// The first file of the model that has changed since it was opened, and how; nil while none has.
    public var fileChange: (path: String, what: String)? { files?.change }

    /// The matrices `[out, in]` of a group's projections, as one matrix.
    public func weights(_ group: ProjectionGroup) -> FrozenMatrix { projections[group.index] }

    /// The same model computing with its weights in float32 and without packs.
    func withoutPacks() -> T5Model { T5Model(self, trained: [:], of: nil, keepsPacks: false) }

    /// The same model with other numbers for some tensors, whose matrices are not packed; `owner` holds the numbers.
    func with(_ trained: [String: Matrix], of owner: ReadOnlyArena) -> T5Model {
        T5Model(self, trained: trained, of: owner, keepsPacks: true)
    }

    /// The weight with this name in `configuration.tensorShapes()`, vectors as one row; nil for any other name.
    public func tensor(named name: String) -> FrozenWeight? {
        if name == T5Configuration.embeddingName { return embedding }
        if name == T5Configuration.outputName, configuration.outputMatrix == .own { return output.parts[0] }
        for group in groups {
            for (projection, part) in zip(group.projections, weights(group).parts)
            where projection.name + ".weight" == name {
                return part
            }
        }
        for stack in Stack.allCases {
            if name == configuration.finalNormName(stack) { return .float32(finalNorms[Int(stack.rawValue)]) }
            if name == configuration.biasName(stack) { return .float32(biasTable(stack)) }
            for block in 0..<configuration.blocks(stack) {
                for sublayer in configuration.sublayers(stack, block) where configuration.normName(sublayer) == name {
                    return .float32(norms[Int(stack.rawValue)][block][configuration.layer(sublayer)])
                }
            }
        }
        return nil
    }
}
