/// A number that the bits of floats at their places decide: equal arrays have equal sums, and arrays that differ almost never do.
/// Parts may be summed in any order, by any threads.
public enum BitSum {
    /// `sum of bits(values[i]) * (2 (first + i) + 1)` modulo 2^64, the odd factor modulo 2^32. One element that changes always
    /// changes the sum.
    public static func of(_ values: UnsafePointer<Float>, count: Int, from first: Int) -> UInt64 {
        var sum: UInt64 = 0
        var factor = UInt32(truncatingIfNeeded: 2 * first + 1)
        for i in 0..<count {
            unsafe sum &+= UInt64(values[i].bitPattern) &* UInt64(factor)
            factor &+= 2
        }
        return sum
    }
}
