import Failures
import Kernels
import Tensors

/// A frozen T5: views of its weights in memory that is shared by all workers and, where the file allows it, by all ranks
/// of a node.
public final class T5Model: Sendable {
    /// The shape of the model.
    public let configuration: T5Configuration
    /// All projection groups, encoder first, in the order of computation.
    public let groups: [ProjectionGroup]
    /// `[vocabulary, d]`.
    public let embedding: FrozenWeight
    /// Output matrix `[vocabulary, d]`; the embedding itself when tied.
    public let output: FrozenMatrix
    /// Longest source or target that the position biases serve.
    public let maximumLength: Int

    /// Whether matrices were rounded to bfloat16 from floats that are mapped, so that a comparison with these takes no
    /// memory.
    public let isRoundedInSight: Bool

    private let projections: [FrozenMatrix]
    private let norms: [[[Matrix]]]
    private let finalNorms: [Matrix]
    private let biases: [RelativePositionBias]
    private let groupOffsets: [[Int]]
    /// Keeps the memory of the views alive.
    private let storage: any Sendable
    private let packs: (any FrozenMemory)?
    /// The files that the weights came from, held open; nil for weights from elsewhere.
    private let files: TensorCollection?

    /// Makes the views; `tensor` gives the weight of each name in `configuration.tensorShapes()` (vectors as one row, and
    /// like the position biases in float32), `storage` owns their memory, `files` are watched. Throws only what `packing` throws.
    public init(
        configuration: T5Configuration, maximumLength: Int, storage: any Sendable, packing: WeightPacking? = nil,
        isRoundedInSight: Bool = false, files: TensorCollection? = nil, tensor: (String) -> FrozenWeight
    ) throws(Failure) {
        func matrix(_ name: String) -> Matrix {
            guard let matrix = tensor(name).matrix else { preconditionFailure("\(name) is needed in float32") }
            return matrix
        }
        self.isRoundedInSight = isRoundedInSight
        self.configuration = configuration
        self.maximumLength = maximumLength
        self.storage = storage
        self.files = files
        groups = configuration.projectionGroups()
        var projections = groups.map { FrozenMatrix($0.projections.map { tensor($0.name + ".weight") }) }
        embedding = tensor("shared.weight")
        var output = FrozenMatrix([configuration.outputMatrix == .embedding ? embedding : tensor("lm_head.weight")])
        packs = try packing?.pack(&projections, &output)
        self.projections = projections
        self.output = output
        norms = Stack.allCases.map { stack in
            (0..<configuration.blocks(stack)).map { block in
                (0..<(stack == .encoder ? 2 : 3)).map { matrix(configuration.normName(stack, block, $0)) }
            }
        }
        finalNorms = Stack.allCases.map { matrix(configuration.finalNormName($0)) }
        biases = Stack.allCases.map { stack in
            RelativePositionBias(
                table: matrix(configuration.biasName(stack)), bidirectional: stack == .encoder,
                buckets: configuration.positionBuckets, maximumDistance: configuration.positionMaxDistance,
                maximumLength: maximumLength)
        }
        var offsets = [[Int]](repeating: [], count: 2)
        for group in groups where group.kind == .selfInput {
            offsets[Int(group.stack.rawValue)].append(group.index)
        }
        groupOffsets = offsets
    }

    /// The first file of the model that has changed since it was opened, and how; nil while none has.
    public var fileChange: (path: String, what: String)? { files?.change }

    /// The same model with its products on the weights as they are, in float32 and without packs: what packed products are
    /// compared with. Shares all memory with this one.
    public var unpacked: T5Model { T5Model(unpacking: self) }

    private init(unpacking other: T5Model) {
        configuration = other.configuration
        maximumLength = other.maximumLength
        groups = other.groups
        embedding = other.embedding
        isRoundedInSight = other.isRoundedInSight
        output = FrozenMatrix(other.output.parts)
        projections = other.projections.map { FrozenMatrix($0.parts) }
        norms = other.norms
        finalNorms = other.finalNorms
        biases = other.biases
        groupOffsets = other.groupOffsets
        storage = other.storage
        files = other.files
        packs = nil
    }

    /// The group of a block.
    func group(_ stack: Stack, _ block: Int, _ kind: GroupKind) -> ProjectionGroup {
        let first = groupOffsets[Int(stack.rawValue)][block]
        let step =
            switch (stack, kind) {
            case (_, .selfInput): 0
            case (_, .selfOutput): 1
            case (.encoder, .feedForwardInput): 2
            case (.encoder, _): 3
            case (.decoder, _): Int(kind.rawValue - GroupKind.selfInput.rawValue)
            }
        let group = groups[first + step]
        assert(group.kind == kind && group.block == block && group.stack == stack)
        return group
    }

    /// The matrices `[out, in]` of a group's projections, as one.
    public func weights(_ group: ProjectionGroup) -> FrozenMatrix { projections[group.index] }

    func norm(_ stack: Stack, _ block: Int, _ layer: Int) -> UnsafePointer<Float> {
        UnsafePointer(norms[Int(stack.rawValue)][block][layer].base)
    }

    func finalNorm(_ stack: Stack) -> UnsafePointer<Float> {
        UnsafePointer(finalNorms[Int(stack.rawValue)].base)
    }

    func bias(_ stack: Stack) -> RelativePositionBias { biases[Int(stack.rawValue)] }
}
