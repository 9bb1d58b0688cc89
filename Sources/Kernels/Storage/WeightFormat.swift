/// How a model's matrices are kept in memory. A new format is a case and a line here, and a file with its `StoredElements`.
public enum WeightFormat: String, CaseIterable, Sendable {
    /// As float32: what any file holds, exactly.
    case float32
    /// As bfloat16, in half the memory: what a BF16 file holds, else rounded to the nearest.
    case bfloat16

    var elements: any StoredElements.Type {
        switch self {
        case .float32: Float32Elements.self
        case .bfloat16: BFloat16Elements.self
        }
    }

    /// Bytes of so many numbers.
    public func byteCount(_ count: Int) -> Int { count * elements.size }
}
