/// The float with the value of an IEEE 754 binary16 number; exact. It raises no exception for a NaN.
///
/// Written with integer shifts and one product by 2^112 so that the compiler vectorises loops over it; the product
/// also brings the subnormal numbers into place.
@inlinable
@inline(__always)
package func floatFromFloat16(_ bits: UInt16) -> Float {
    let magnitude = UInt32(bits & 0x7FFF) << 13
    let scaled = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
    let isSpecial = bits & 0x7C00 == 0x7C00
    let value = isSpecial ? magnitude | 0x7F80_0000 : scaled
    return Float(bitPattern: value | UInt32(bits & 0x8000) << 16)
}

/// The float with the value of a bfloat16 number, which is the upper half of a float.
@inlinable
@inline(__always)
package func floatFromBFloat16(_ bits: UInt16) -> Float {
    Float(bitPattern: UInt32(bits) << 16)
}

/// The bfloat16 number nearest to a float that is not a NaN; ties go to the even one. A float beyond the largest bfloat16
/// number becomes infinity.
@inlinable
@inline(__always)
package func bfloat16(nearest value: Float) -> UInt16 {
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}
