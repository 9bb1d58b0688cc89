/// `e^x` in each lane, to about 1e-7 relative; 0 below -87.3 and at most `e^88.3`.
///
/// The bits do not depend on the C library. Range reduction by powers of two and the degree-6 polynomial of Cephes'
/// `expf` (Moshier).
@inlinable @inline(__always)
func exponential(_ x: SIMD16<Float>) -> SIMD16<Float> {
    let clamped = limit(x, -87.3, 88.3)
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer without an SSE4 instruction.
    let magic = SIMD16<Float>(repeating: 12_582_912)
    let biased = clamped * 1.442_695_04 + magic
    let n = biased - magic
    let r = clamped - n * 0.693_359_375 + n * 2.121_944_4e-4
    var p = r * 1.987_569_15e-4 + 1.398_199_95e-3
    p = p * r + 8.333_451_9e-3
    p = p * r + 4.166_579_6e-2
    p = p * r + 1.666_666_55e-1
    p = p * r + 5.000_000_1e-1
    let fraction = p * (r * r) + r + 1
    // The low bits of the biased sum hold n as an integer.
    let exponent = unsafe SIMD16<Int32>(
        truncatingIfNeeded: unsafeBitCast(biased, to: SIMD16<Int32>.self) &- 0x4B40_0000)
    let power = unsafe unsafeBitCast((exponent &+ 127) &<< 23, to: SIMD16<Float>.self)
    let value = (fraction * power).replacing(with: 0, where: x .< -87.3)
    // Clamping loses a NaN; a NaN must stay visible to the code that checks the loss.
    return value.replacing(with: x, where: x .!= x)
}

/// `min(max(x, low), high)` in each lane, by comparisons: the standard library's `clamped` makes a call for each lane.
@inlinable @inline(__always)
func limit(_ x: SIMD16<Float>, _ low: Float, _ high: Float) -> SIMD16<Float> {
    x.replacing(with: low, where: x .< low).replacing(with: high, where: x .> high)
}

/// `e^x` of every element: overwrites `y`; `x` and `y` may be the same.
public func exponential(_ x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, _ count: Int) {
    var i = 0
    while i + 16 <= count {
        unsafe y.store(exponential(x.lanes(i)), i)
        i += 16
    }
    if i < count {
        unsafe y.store(exponential(x.lanes(i, count: count - i, fill: 0)), i, count: count - i)
    }
}
