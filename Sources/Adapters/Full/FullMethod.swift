public import Backbone
public import Tensors

/// Full fine-tuning: every tensor of the backbone is trained, and nothing is added to it.
public struct FullMethod: Method {
    /// The named tensors in the arena: those of the backbone, in its order.
    public let parameters: ParameterLayout
    private let depth: MethodFootprint

    /// Lays the tensors of a backbone of this shape out.
    public init(on shape: any BackboneShape) {
        var parameters = ParameterLayout()
        for (name, size) in shape.tensorShapes() { parameters.append(name, size) }
        self.parameters = parameters
        depth = MethodFootprint(
            keptInputs: Set(shape.projectionGroups().map(\.kind)), trainsPositions: true)
    }

    /// See `Method`: nothing is added to any place.
    public var siteCount: Int { 0 }

    /// See `Method`.
    public var footprint: MethodFootprint { depth }

    /// See `Method`: every tensor starts with the backbone's numbers.
    public func initialise(_ weights: Arena, seed: UInt64) {}

    /// See `Method`.
    public func adaptation(weights: ReadOnlyArena, gradients: Arena?) -> any Adaptation {
        FullAdaptation(self, gradients)
    }
}

/// One worker's side of full fine-tuning: the engine does the mathematics and asks where gradients are added.
private final class FullAdaptation: Adaptation {
    private let method: FullMethod
    private let gradients: Arena?

    init(_ method: FullMethod, _ gradients: Arena?) {
        self.method = method
        self.gradients = gradients
    }

    func adapts(_ group: ProjectionGroup) -> Bool { false }

    func gradient(of tensor: String) -> MutableMatrix? {
        guard let gradients, let entry = method.parameters[tensor] else { return nil }
        return gradients.matrix(entry)
    }

    func begin(_ context: MicroBatchContext) {}
    func finish(_ context: MicroBatchContext) {}

    func forward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, output: MutableMatrix, context: MicroBatchContext
    ) {}

    func backward(
        _ group: ProjectionGroup, input: Matrix, rows: Segments, outputGradient: Matrix, inputGradient: MutableMatrix?,
        context: MicroBatchContext
    ) {}
}
