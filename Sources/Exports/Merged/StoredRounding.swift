import Tensors

/// Rounds a Double to the nearest number of a stored type, ties to even, in one step.
enum StoredRounding {
    /// The nearest number of the type, which a Double represents exactly; an infinity beyond its largest number. For F32, F16 and
    /// BF16.
    static func nearest(_ value: Double, _ type: ElementType) -> Double {
        switch type {
        case .float32: return Double(Float(value))
        case .float16: return nearest(value, digits: 11, smallestExponent: -14, largest: 65504)
        case .bfloat16: return nearest(value, digits: 8, smallestExponent: -126, largest: 0x1.FEp127)
        default: preconditionFailure("\(type.rawValue) holds no weights")
        }
    }

    /// Appends the bytes of a number that the type represents.
    static func append(_ value: Double, _ type: ElementType, to bytes: inout [UInt8]) {
        let float = Float(value)
        let bits: UInt32
        switch type {
        case .float32: bits = float.bitPattern
        case .bfloat16: bits = float.bitPattern >> 16
        default: bits = UInt32(float16Bits(float))
        }
        for byte in 0..<type.byteCount { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * byte))) }
    }

    /// Rounds to a multiple of the last digit's value, which a scaling by powers of two does exactly.
    private static func nearest(_ value: Double, digits: Int, smallestExponent: Int, largest: Double) -> Double {
        guard value != 0, value.isFinite else { return value }
        let exponent = max(Int(value.exponent), smallestExponent)
        let unit = Double(sign: .plus, exponent: exponent - digits + 1, significand: 1)
        let rounded = (value / unit).rounded(.toNearestOrEven) * unit
        return rounded.magnitude <= largest
            ? rounded : Double(signOf: value, magnitudeOf: Double.infinity)
    }

    /// The bits of a float that binary16 represents exactly.
    private static func float16Bits(_ value: Float) -> UInt16 {
        let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
        let magnitude = value.magnitude
        guard value.isFinite else { return sign | 0x7C00 }
        guard magnitude >= 0x1p-14 else { return sign | UInt16(magnitude / 0x1p-24) }
        let significand = UInt16(truncatingIfNeeded: magnitude.bitPattern >> 13 & 0x3FF)
        return sign | UInt16(Int(magnitude.exponent) + 15) << 10 | significand
    }
}
