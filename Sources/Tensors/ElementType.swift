/// The type of a stored tensor's elements; raw values are the names in safetensors headers.
public enum ElementType: String, Sendable, CaseIterable {
    /// IEEE 754 binary64.
    case float64 = "F64"
    /// IEEE 754 binary32.
    case float32 = "F32"
    /// IEEE 754 binary16.
    case float16 = "F16"
    /// The upper half of binary32.
    case bfloat16 = "BF16"
    /// 8 bits, 4 of them exponent.
    case float8E4M3 = "F8_E4M3"
    /// 8 bits, 5 of them exponent.
    case float8E5M2 = "F8_E5M2"
    /// Signed 64-bit integer.
    case int64 = "I64"
    /// Signed 32-bit integer.
    case int32 = "I32"
    /// Signed 16-bit integer.
    case int16 = "I16"
    /// Signed 8-bit integer.
    case int8 = "I8"
    /// Unsigned 64-bit integer.
    case uint64 = "U64"
    /// Unsigned 32-bit integer.
    case uint32 = "U32"
    /// Unsigned 16-bit integer.
    case uint16 = "U16"
    /// Unsigned 8-bit integer.
    case uint8 = "U8"
    /// One byte, 0 or 1.
    case bool = "BOOL"

    /// Bytes of one element.
    public var byteCount: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .float8E4M3, .float8E5M2, .int8, .uint8, .bool: 1
        }
    }

    /// Bytes of a tensor, or nil when the number does not fit in an `Int`.
    ///
    /// Dimensions are multiplied in order even when a later one is 0, so [2^62, 2^62, 0] gives nil.
    public func byteCount(of shape: [Int]) -> Int? {
        var product = byteCount
        for dimension in shape {
            let (next, overflow) = product.multipliedReportingOverflow(by: dimension)
            if overflow { return nil }
            product = next
        }
        return product
    }

    /// Whether every value can be converted to `Float` without loss by `SafetensorsFile.convert`.
    public var convertsToFloat: Bool { self == .float32 || self == .float16 || self == .bfloat16 }
}
