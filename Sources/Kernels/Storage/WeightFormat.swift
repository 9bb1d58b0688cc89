/// How a model's matrices are stored in memory. A new format needs a case and a line here, and a file with its
/// `StoredElements`.
public enum WeightFormat: String, CaseIterable, Sendable {
    /// float32: exact for any file.
    case float32
    /// bfloat16, in half the memory: exact for a BF16 file, otherwise rounded to the nearest.
    case bfloat16

    var elements: any StoredElements.Type {
        switch self {
        case .float32: Float32Elements.self
        case .bfloat16: BFloat16Elements.self
        }
    }

    /// Bytes of `count` numbers.
    public func byteCount(_ count: Int) -> Int { count * elements.size }
}
