import CVectorKernels
public import Tensors

/// AdamW with decoupled weight decay and dense semantics: an element whose gradient is 0 still decays.
///
/// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g^2`,
/// `w = w (1 - lr * decay) - lr / (1 - b1^t) * m / (sqrt(v / (1 - b2^t)) + eps)`.
/// Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019; the order of operations is
/// PyTorch's.
public struct AdamW: Sendable, Equatable {
    /// Decay rate of the mean of gradients, b1.
    public var beta1: Double
    /// Decay rate of the mean of squares, b2.
    public var beta2: Double
    /// Added to the square root.
    public var epsilon: Double
    /// Decoupled weight decay.
    public var weightDecay: Double

    /// Creates the optimiser.
    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0.01) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    /// One update: overwrites `weights`, `mean` (m) and `square` (v), reads `gradients`; `count` counts updates from 1.
    public func update(
        _ weights: Arena, gradients: Arena, mean: Arena, square: Arena, learningRate: Double, count: Int
    ) {
        precondition(weights.count == gradients.count && weights.count == mean.count && weights.count == square.count)
        unsafe step(learningRate: learningRate, count: count).apply(
            weights.base, gradients: gradients.base, mean: mean.base, square: square.base, elements: weights.count)
    }

    /// The factors of an update, which are the same for every element; `count` counts updates from 1.
    public func step(learningRate: Double, count: Int) -> Step {
        precondition(count >= 1, "updates count from 1")
        return Step(
            b1: Float(beta1), b2: Float(beta2), c1: Float(1 - beta1), c2: Float(1 - beta2),
            keep: Float(1 - learningRate * weightDecay), step: Float(learningRate / (1 - power(beta1, count))),
            root: Float((1 - power(beta2, count)).squareRoot()), epsilon: Float(epsilon))
    }

    /// The factors of one update.
    public struct Step: Sendable {
        let (b1, b2, c1, c2): (Float, Float, Float, Float)
        let (keep, step, root, epsilon): (Float, Float, Float, Float)

        init(
            b1: Float, b2: Float, c1: Float, c2: Float, keep: Float, step: Float, root: Float, epsilon: Float
        ) {
            (self.b1, self.b2, self.c1, self.c2) = (b1, b2, c1, c2)
            (self.keep, self.step, self.root, self.epsilon) = (keep, step, root, epsilon)
        }

        /// Updates some elements: overwrites `w`, `m` and `v`, reads `g`. No element depends on another.
        public func apply(
            _ w: UnsafeMutablePointer<Float>, gradients g: UnsafePointer<Float>, mean m: UnsafeMutablePointer<Float>,
            square v: UnsafeMutablePointer<Float>, elements: Int
        ) {
            var factors = cvectorkernels_adamw(
                b1: b1, b2: b2, c1: c1, c2: c2, keep: keep, step: step, root: root, epsilon: epsilon)
            unsafe cvectorkernels_here().pointee.adamw(&factors, w, g, m, v, Int64(elements))
        }
    }

    /// `base^exponent` by repeated squaring, so that the result does not depend on the C library.
    private func power(_ base: Double, _ exponent: Int) -> Double {
        var (result, factor, rest) = (1.0, base, exponent)
        while rest > 0 {
            if rest & 1 == 1 { result *= factor }
            factor *= factor
            rest >>= 1
        }
        return result
    }
}
