/// Plain summation in float32, whose bits depend on the order.
public enum FloatSum {
    /// `sums += values`: adds to `sums: [count]`.
    ///
    /// Returns whether every value was finite and of magnitude at most `limit`; if not, `sums` must not be used.
    public static func add(
        _ values: UnsafePointer<Float>, to sums: UnsafeMutablePointer<Float>, count: Int, limit: Float
    ) -> Bool {
        var bad: UInt32 = 0
        for i in 0..<count {
            let value = unsafe values[i]
            // A NaN fails the comparison too. No branch, so that several elements are computed at once.
            bad |= value.magnitude <= limit ? 0 : 1
            unsafe sums[i] += value
        }
        return bad == 0
    }
}
