/// Plain summation in float32, whose bits depend on the order.
public enum FloatSum {
    /// `sums += values`: adds to `sums: [count]`.
    ///
    /// Returns whether every value was finite and of magnitude at most `limit`; if not, `sums` must not be used.
    public static func add(
        _ values: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>, count: Int, limit: Float
    ) -> Bool {
        var good = true
        for i in 0..<count {
            let value = values[i]
            // A NaN fails the comparison too.
            good = good && value.magnitude <= limit
            sums[i] += value
        }
        return good
    }
}
