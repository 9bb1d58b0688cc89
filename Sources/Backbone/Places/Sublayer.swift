/// One of the two halves of a model with an encoder and a decoder; a model without an encoder has only the decoder.
public enum Stack: UInt32, Sendable, CaseIterable {
    case encoder = 0
    case decoder = 1

    /// The name in tensor paths.
    public var name: String { self == .encoder ? "encoder" : "decoder" }
}

/// One block of a stack: its sublayers from self-attention to feed-forward.
public struct Block: Sendable, Hashable {
    /// The half of the model.
    public let stack: Stack
    /// The block's number in the stack, from 0 at the bottom.
    public let number: Int

    /// Names a block.
    public init(_ stack: Stack, _ number: Int) {
        self.stack = stack
        self.number = number
    }
}

/// One sublayer of a model: norm, attention or feed-forward, and the sum with the residual stream.
public struct Sublayer: Sendable, Hashable {
    /// What a sublayer computes, in the order within a block.
    public enum Kind: Int, Sendable, CaseIterable {
        case selfAttention
        case crossAttention
        case feedForward
    }

    /// The half of the model.
    public let stack: Stack
    /// The block inside the stack.
    public let block: Int
    /// What it computes.
    public let kind: Kind

    /// Names a sublayer.
    public init(_ stack: Stack, _ block: Int, _ kind: Kind) {
        self.stack = stack
        self.block = block
        self.kind = kind
    }

    /// The block that contains the sublayer.
    public var parent: Block { Block(stack, block) }

    /// Whether this sublayer's output comes after that of `other` in the same stack.
    func isAbove(_ other: Sublayer) -> Bool {
        precondition(stack == other.stack, "sublayers of two stacks have no order")
        return (block, kind.rawValue) > (other.block, other.kind.rawValue)
    }
}
