/// How the frozen matrices are stored in memory: `model.storage`.
public enum ModelStorage: String, CaseIterable, Codable, Sendable {
    case float32
    case bfloat16
}

/// The number format in which products with frozen weights compute: `model.products`.
public enum ModelProducts: String, CaseIterable, Codable, Sendable {
    case float32
    /// Both operands as sums of two bfloat16; nearly as accurate as float32.
    case bf16x3
    /// Both operands rounded to bfloat16.
    case bfloat16
    /// What the machine does best within float32's tolerance: `bf16x3` where the processor has matrix tiles, else `float32`.
    case fast
    /// Both operands rounded to 8 bits, in the forward and in the gradients of inputs.
    case int8
    /// 8 bits in the forward only.
    case int8Forward
    /// 8 bits in the gradients of inputs only.
    case int8Backward

    /// Whether operands are rounded to 8 bits, in the forward and in the gradients of inputs.
    public var quantises: (forward: Bool, backward: Bool) {
        switch self {
        case .float32, .bf16x3, .bfloat16, .fast: (false, false)
        case .int8: (true, true)
        case .int8Forward: (true, false)
        case .int8Backward: (false, true)
        }
    }

    /// Whether some operands are rounded to 8 bits.
    public var rounds8Bits: Bool { quantises.forward || quantises.backward }
}
