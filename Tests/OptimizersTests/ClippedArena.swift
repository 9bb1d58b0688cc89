import Optimizers
import Tensors

extension GradientClipping {
    /// L2 norm of an arena.
    static func norm(_ gradients: Arena) -> Double {
        addSquares(gradients.base, gradients.count, to: 0).squareRoot()
    }

    /// Clips an arena like a step clips its pieces; returns the norm before clipping.
    @discardableResult
    static func clip(_ gradients: Arena, limit: Double?) -> Double {
        let norm = norm(gradients)
        if let factor = factor(norm: norm, limit: limit) { scale(gradients.base, gradients.count, by: factor) }
        return norm
    }
}
