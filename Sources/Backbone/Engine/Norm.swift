import Kernels
public import Tensors

/// A layer norm without mean or bias, and where the gradient of its weight is added if the weight is trained.
public struct Norm: @unchecked Sendable {
    private let weight: UnsafePointer<Float>
    private let epsilon: Float
    private let gradient: UnsafeMutablePointer<Float>?

    /// Creates the norm with `weight: [d]`; the backward adds to `gradient: [d]`.
    public init(_ weight: UnsafePointer<Float>, epsilon: Float, gradient: UnsafeMutablePointer<Float>?) {
        self.weight = weight
        self.epsilon = epsilon
        self.gradient = gradient
    }

    /// What the backward needs.
    public struct State {
        /// `[rows, d]`.
        public let input: Matrix
        /// `[rows, d]`; valid in the backward only when a caller keeps this memory.
        public let output: Matrix
        let inverse: UnsafePointer<Float>
    }

    /// `y = x / sqrt(mean(x^2) + eps) * weight`. Overwrites `y: [rows, d]`.
    public func forward(_ x: Matrix, into y: MutableMatrix, _ workspace: Workspace) -> State {
        let inverse = workspace.take(Float.self, x.rows)
        rmsNorm(x, weight: weight, epsilon: epsilon, into: y, inverse: inverse)
        return State(input: x, output: y.readOnly, inverse: UnsafePointer(inverse))
    }

    /// Backward of `forward`: adds to the gradient of a trained weight, and to `dx: [rows, d]` unless that is nil.
    public func backward(_ dy: Matrix, _ state: State, addingTo dx: MutableMatrix?) {
        if let gradient { rmsNormWeightBackward(dy, x: state.input, inverse: state.inverse, addingTo: gradient) }
        if let dx { rmsNormBackward(dy, x: state.input, weight: weight, inverse: state.inverse, addingTo: dx) }
    }
}
