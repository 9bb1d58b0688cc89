/// Inner products of float32 vectors in double precision.
public enum InnerProduct {
    /// `sum of a[i] * b[i]`, products and sums in double: eight partial sums, of every eighth product, and then these in order.
    /// So the bits depend on the numbers alone.
    public static func of(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, count: Int) -> Double {
        var sums = SIMD8<Double>.zero
        var i = 0
        while i + 8 <= count {
            let left = unsafe UnsafeRawPointer(a + i).loadUnaligned(as: SIMD8<Float>.self)
            let right = unsafe UnsafeRawPointer(b + i).loadUnaligned(as: SIMD8<Float>.self)
            sums += SIMD8<Double>(left) * SIMD8<Double>(right)
            i += 8
        }
        for lane in 0..<(count - i) { unsafe sums[lane] += Double(a[i + lane]) * Double(b[i + lane]) }
        return sums.indices.reduce(0) { $0 + sums[$1] }
    }
}
