public import Backbone
public import Tensors

/// Trains tensors of the backbone and nothing else, for tests of their gradients.
public struct TrainedTensors: Method {
    /// See `Method`.
    public let parameters: ParameterLayout
    private let kept: Set<GroupKind>
    private let trainsPositions: Bool

    /// Trains the tensors of a shape for which `isTrained` returns true.
    public init(on shape: any BackboneShape, _ isTrained: (String) -> Bool) {
        var parameters = ParameterLayout()
        for (name, size) in shape.tensorShapes() where isTrained(name) { parameters.append(name, size) }
        kept = Set(
            shape.projectionGroups().filter { group in
                group.projections.contains { parameters[$0.name + ".weight"] != nil }
            }.map(\.kind))
        trainsPositions = parameters.entries.contains { $0.name.contains("relative_attention_bias") }
        self.parameters = parameters
    }

    /// See `Method`.
    public var siteCount: Int { parameters.entries.count }
    /// See `Method`.
    public var footprint: MethodFootprint { MethodFootprint(keptInputs: kept, trainsPositions: trainsPositions) }
    /// See `Method`.
    public func initialise(_ weights: Arena, seed: UInt64) {}

    /// See `Method`.
    public func adaptation(weights: ReadOnlyArena, gradients: Arena?) -> any Adaptation {
        TrainedTensorsAdaptation(parameters, gradients)
    }
}

private final class TrainedTensorsAdaptation: Adaptation {
    private let parameters: ParameterLayout
    private let gradients: Arena?

    init(_ parameters: ParameterLayout, _ gradients: Arena?) {
        self.parameters = parameters
        self.gradients = gradients
    }

    func adapts(_ group: ProjectionGroup) -> Bool { false }

    func gradient(of tensor: String) -> MutableMatrix? {
        guard let gradients, let entry = parameters[tensor] else { return nil }
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
