/// What a safetensors header says about one tensor.
public struct TensorDescription: Sendable, Equatable {
    /// Name, unique in the file.
    public let name: String
    /// Type of the elements.
    public let elementType: ElementType
    /// Shape, outermost dimension first; empty for a scalar.
    public let shape: [Int]
    /// Where the elements stand in the file's data section.
    public let byteRange: Range<Int>

    /// Number of elements.
    public var count: Int { byteRange.count / elementType.byteCount }
}
