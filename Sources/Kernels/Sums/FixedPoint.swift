import CVectorKernels

/// Exact summation: a float is added as a whole number of quanta of 2^-40 in 64 bits. Such addition is associative, so the sum
/// has the same bits for every order and every number of threads and ranks.
public enum FixedPoint {
    /// Binary exponent of the quantum.
    public static let fractionBits = 40
    /// One quantum: 2^-40.
    public static let quantum = 0x1p-40

    /// The largest magnitude that each of `parts` summands may have so that their sum cannot overflow: 2^22 / parts.
    public static func limit(parts: Int) -> Float {
        Float(0x1p22 / Double(max(parts, 1)))
    }

    /// `sums += rint(values * 2^40)`: adds to `sums: [count]`.
    ///
    /// Returns whether every value was finite and of magnitude at most `limit`; if not, `sums` must not be used.
    public static func add(
        _ values: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Int64>, count: Int, limit: Float
    ) -> Bool {
        unsafe cvectorkernels_here().pointee.fixed_point(values, sums, Int64(count), limit) == 1
    }

    /// A number in quanta, rounded to the nearest, ties to even; it must be finite and below 2^23 in magnitude.
    @inline(__always)
    public static func quanta(_ value: Double) -> Int64 {
        Int64((value * 0x1p40).rounded(.toNearestOrEven))
    }

    /// The number that `quanta` quanta represent.
    @inline(__always)
    public static func value(_ quanta: Int64) -> Double {
        Double(quanta) * quantum
    }
}
