/// A kind of group: projections of one sublayer that read the same input; their outputs are side by side in one buffer.
///
/// The raw values are also the kinds of dropout places at their inputs (`DropoutPlace`).
public enum GroupKind: UInt32, Sendable, CaseIterable {
    /// q, k, v of self-attention.
    case selfInput = 8
    /// o of self-attention.
    case selfOutput = 9
    /// q of cross-attention.
    case crossQuery = 10
    /// k, v of cross-attention; they read the encoder's output.
    case crossMemory = 11
    /// o of cross-attention.
    case crossOutput = 12
    /// wi, or wi_0 and wi_1.
    case feedForwardInput = 13
    /// wo.
    case feedForwardOutput = 14

    /// The kind of sublayer that contains such a group.
    public var sublayer: Sublayer.Kind {
        switch self {
        case .selfInput, .selfOutput: .selfAttention
        case .crossQuery, .crossMemory, .crossOutput: .crossAttention
        case .feedForwardInput, .feedForwardOutput: .feedForward
        }
    }

    /// Whether the group is the first of its sublayer and so reads the residual stream.
    public var readsStream: Bool { self == .selfInput || self == .crossQuery || self == .feedForwardInput }
}

/// One frozen linear layer `y = x W^T`, `W: [out, in]`.
public struct Projection: Sendable {
    /// The module's path in the model's files, e.g. `decoder.block.3.layer.1.EncDecAttention.v`; with `.weight` it is the name of
    /// the tensor.
    public let name: String
    /// Its name in `lora.targets`: q, k, v, o, wi, wi_0, wi_1 or wo.
    public let leaf: String
    /// Width of its input.
    public let inputWidth: Int
    /// Width of its output.
    public let outputWidth: Int
    /// First column of its output in the group's buffer.
    public let outputOffset: Int

    /// Describes a layer.
    public init(name: String, leaf: String, inputWidth: Int, outputWidth: Int, outputOffset: Int) {
        self.name = name
        self.leaf = leaf
        self.inputWidth = inputWidth
        self.outputWidth = outputWidth
        self.outputOffset = outputOffset
    }

    /// The smaller of its two widths, which is the largest possible rank.
    public var smallerSide: Int { min(inputWidth, outputWidth) }
}

/// The projections that read one input.
public struct ProjectionGroup: Sendable {
    /// Position among all groups of the model, in the order of computation.
    public let index: Int
    /// The half of the model.
    public let stack: Stack
    /// The block inside the stack.
    public let block: Int
    /// Which input the projections read.
    public let kind: GroupKind
    /// The projections in canonical order.
    public let projections: [Projection]

    /// Describes a group; it has at least one projection.
    public init(index: Int, stack: Stack, block: Int, kind: GroupKind, projections: [Projection]) {
        precondition(!projections.isEmpty, "a group without projections")
        self.index = index
        self.stack = stack
        self.block = block
        self.kind = kind
        self.projections = projections
    }

    /// Width of the input.
    public var inputWidth: Int { projections[0].inputWidth }
    /// Width of all outputs together.
    public var outputWidth: Int { projections.reduce(0) { $0 + $1.outputWidth } }

    /// The stack and the kind of sublayer, in the words of `lora.targets`: `encoderSelf`, `decoderSelf`, `decoderCross`,
    /// `encoderFeedForward` or `decoderFeedForward`.
    public var region: String {
        switch kind.sublayer {
        case .selfAttention: stack.name + "Self"
        case .crossAttention: stack.name + "Cross"
        case .feedForward: stack.name + "FeedForward"
        }
    }

    /// The sublayer that contains the group.
    public var sublayer: Sublayer { Sublayer(stack, block, kind.sublayer) }
    /// Whether the group's rows are target tokens instead of source tokens. Without an encoder they are both.
    public var readsTargets: Bool { stack == .decoder && kind != .crossMemory }
}
