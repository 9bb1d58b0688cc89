import Tensors

/// Clipping by global norm, as PyTorch's `clip_grad_norm_`: when the L2 norm of all gradients is above `limit` they are
/// multiplied by `limit / (norm + 1e-6)`.
public enum GradientClipping {
    /// L2 norm of all elements, summed in double in their order.
    public static func norm(_ gradients: Arena) -> Double {
        var sum = 0.0
        for i in 0..<gradients.count {
            let g = Double(gradients.base[i])
            sum += g * g
        }
        return sum.squareRoot()
    }

    /// Clips in place and returns the norm before.
    @discardableResult
    public static func clip(_ gradients: Arena, limit: Double?) -> Double {
        let norm = norm(gradients)
        guard let limit, norm > limit else { return norm }
        let factor = Float(limit / (norm + 1e-6))
        for i in 0..<gradients.count {
            gradients.base[i] *= factor
        }
        return norm
    }
}
