/// Clipping by global norm like PyTorch's `clip_grad_norm_`: when the L2 norm of all gradients is above `limit`, they are
/// multiplied by `limit / (norm + 1e-6)`.
public enum GradientClipping {
    /// `sum` plus the squares of some elements, added in double in their order.
    public static func addSquares(_ gradients: UnsafePointer<Float>, _ count: Int, to sum: Double) -> Double {
        var sum = sum
        for i in 0..<count {
            let g = unsafe Double(gradients[i])
            sum += g * g
        }
        return sum
    }

    /// The factor for gradients with this norm; nil when they stay as they are.
    public static func factor(norm: Double, limit: Double?) -> Float? {
        guard let limit, norm > limit else { return nil }
        return Float(limit / (norm + 1e-6))
    }

    /// Multiplies some elements by a factor.
    public static func scale(_ gradients: UnsafeMutablePointer<Float>, _ count: Int, by factor: Float) {
        for i in 0..<count { unsafe gradients[i] *= factor }
    }
}
