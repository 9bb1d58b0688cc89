/// `q = round(x * 127 / max|x|)` for one row, and the factor `max|x| / 127` that gives `x` back.
///
/// Overwrites `q: [count]` with values from -127 to 127; ties go to even. A row of zeros has the factor 0. A row with a number
/// that is not finite gets zeros and the factor NaN, so that everything computed from it is NaN too. Source: symmetric
/// quantisation, e.g. Dettmers et al., "LLM.int8()", 2022.
public func quantiseRow(
    _ x: UnsafePointer<Float>, into q: UnsafeMutablePointer<Int8>, _ count: Int
) -> Float {
    unsafe quantise(x, into: q, count)
}

/// The same numbers, each in 16 bits.
public func quantiseRow(
    _ x: UnsafePointer<Float>, into q: UnsafeMutablePointer<Int16>, _ count: Int
) -> Float {
    unsafe quantise(x, into: q, count)
}

/// `quantiseRow` for either width.
@inline(__always)
func quantise<Whole: FixedWidthInteger & SIMDScalar>(
    _ x: UnsafePointer<Float>, into q: UnsafeMutablePointer<Whole>, _ count: Int
) -> Float {
    var largest = SIMD16<Float>.zero
    // A comparison would ignore NaN; a sum keeps it.
    var sum = SIMD16<Float>.zero
    var i = 0
    while i + 16 <= count {
        let lanes = unsafe x.lanes(i)
        let magnitude = lanes.replacing(with: -lanes, where: lanes .< 0)
        largest.replace(with: magnitude, where: magnitude .> largest)
        sum += lanes * 0
        i += 16
    }
    var (top, rest) = (largest.max(), sum.sum())
    while i < count {
        top = unsafe max(top, abs(x[i]))
        unsafe rest += x[i] * 0
        i += 1
    }
    guard top > 0, rest == 0 else {
        unsafe q.update(repeating: 0, count: count)
        return rest == 0 ? 0 : .nan
    }
    let scale = 127 / top
    // Adding and subtracting 1.5 * 2^23 rounds; the low bits of the sum hold the integer.
    let magic = SIMD16<Float>(repeating: 12_582_912)
    i = 0
    while i < count {
        let n = min(16, count - i)
        let lanes = unsafe n == 16 ? x.lanes(i) : x.lanes(i, count: n, fill: 0)
        let bits = unsafe unsafeBitCast(lanes * scale + magic, to: SIMD16<Int32>.self)
        let whole = SIMD16<Whole>(truncatingIfNeeded: bits)
        if n == 16 {
            unsafe UnsafeMutableRawPointer(q + i).storeBytes(of: whole, as: SIMD16<Whole>.self)
        } else {
            for k in 0..<n { unsafe q[i + k] = whole[k] }
        }
        i += 16
    }
    return top / 127
}

/// `y = sums * rowFactor * columnFactors` for one row whose memory holds 32-bit sums: overwrites `y: [count]` in place.
public func dequantiseRow(
    _ y: UnsafeMutablePointer<Float>, rowFactor: Float, columnFactors: UnsafePointer<Float>, _ count: Int
) {
    let sums = UnsafeMutableRawPointer(y)
    var i = 0
    while i + 16 <= count {
        let whole = unsafe sums.loadUnaligned(fromByteOffset: 4 * i, as: SIMD16<Int32>.self)
        unsafe y.store(SIMD16<Float>(whole) * (columnFactors.lanes(i) * rowFactor), i)
        i += 16
    }
    while i < count {
        let whole = unsafe sums.loadUnaligned(fromByteOffset: 4 * i, as: Int32.self)
        unsafe y[i] = Float(whole) * (columnFactors[i] * rowFactor)
        i += 1
    }
}
