import Kernels
public import Tensors

/// A layer norm without mean or bias, and where the gradient of its weight is added if the weight is trained.
public struct Norm: Sendable {
    private let weight: Matrix
    private let epsilon: Float
    private let gradient: MutableMatrix?

    /// Creates the norm with `weight: [1, d]`; the backward adds to `gradient: [1, d]`.
    public init(_ weight: Matrix, epsilon: Float, gradient: MutableMatrix?) {
        precondition(
            weight.rows == 1 && gradient.map { $0.rows == 1 && $0.columns == weight.columns } ?? true,
            "the weight of a norm is one row")
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
        /// `[1, rows]`.
        let inverse: Matrix
    }

    /// `y = x / sqrt(mean(x^2) + eps) * weight`. Overwrites `y: [rows, d]`.
    public func forward(_ x: Matrix, into y: MutableMatrix, _ workspace: Workspace) -> State {
        precondition(x.columns == weight.columns, "norm of another width")
        let inverse = workspace.matrix(1, x.rows)
        unsafe rmsNorm(x, weight: weight.base, epsilon: epsilon, into: y, inverse: inverse.base)
        return State(input: x, output: y.readOnly, inverse: inverse.readOnly)
    }

    /// Backward of `forward`: adds to the gradient of a trained weight, and to `dx: [rows, d]` unless that is nil.
    public func backward(_ dy: Matrix, _ state: State, addingTo dx: MutableMatrix?) {
        precondition(dy.columns == weight.columns, "norm of another width")
        let inverse = unsafe state.inverse.base
        if let gradient {
            unsafe rmsNormWeightBackward(dy, x: state.input, inverse: inverse, addingTo: gradient.base)
        }
        if let dx {
            unsafe rmsNormBackward(dy, x: state.input, weight: weight.base, inverse: inverse, addingTo: dx)
        }
    }
}
