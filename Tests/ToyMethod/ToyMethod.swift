public import Adapters
public import Backbone
import Kernels
public import Tensors

/// A method that only tests have: a trained bias after each feed-forward, `y = wo(...) + b`, and the encoder's final norm
/// trained. It consists of this folder and one line of a table (`MethodTable.withToy`), which shows that no more is needed.
public struct ToyMethod: Method {
    /// See `Method`.
    public let parameters: ParameterLayout
    fileprivate let biases: [Sublayer: ParameterLayout.Entry]
    private let blocks: [String: Block]
    /// The name of the trained tensor of the backbone.
    public static let norm = "encoder.final_layer_norm.weight"

    /// Creates the method on a backbone of this shape.
    public init(on shape: any BackboneShape) {
        var parameters = ParameterLayout()
        var biases: [Sublayer: ParameterLayout.Entry] = [:]
        for group in shape.projectionGroups() where group.kind == .feedForwardOutput {
            biases[group.sublayer] = parameters.append(
                "\(group.stack.name).block.\(group.block).toy.bias", [shape.modelWidth])
        }
        for (name, size) in shape.tensorShapes() where name == Self.norm { parameters.append(name, size) }
        self.parameters = parameters
        self.biases = biases
        blocks = Dictionary(uniqueKeysWithValues: biases.map { ($1.name, $0.parent) })
    }

    /// See `Method`.
    public var siteCount: Int { biases.count }

    /// See `Method`.
    public var footprint: MethodFootprint { MethodFootprint(keptOutputs: [.feedForward]) }

    /// See `Method`.
    public func block(of trainable: ParameterLayout.Entry) -> Block? { blocks[trainable.name] }

    /// See `Method`: the biases start at 0.
    public func initialise(_ weights: Arena, seed: UInt64) { weights.clear() }

    /// See `Method`.
    public func adaptation(weights: ReadOnlyArena, gradients: Arena?) -> any Adaptation {
        ToyAdaptation(self, weights, gradients)
    }
}

extension MethodTable {
    /// The program's methods and the toy method.
    public static let withToy = MethodTable.standard.adding(
        MethodTable.Entry("toy") { configuration, shape, _ in
            MadeMethod(method: ToyMethod(on: shape), configuration: configuration, remedy: "use another method")
        })
}

private final class ToyAdaptation: Adaptation {
    private let method: ToyMethod
    private let weights: ReadOnlyArena
    private let gradients: Arena?

    init(_ method: ToyMethod, _ weights: ReadOnlyArena, _ gradients: Arena?) {
        self.method = method
        self.weights = weights
        self.gradients = gradients
    }

    func adapts(_ group: ProjectionGroup) -> Bool { false }
    func adapts(_ sublayer: Sublayer) -> Bool { method.biases[sublayer] != nil }

    func gradient(of tensor: String) -> MutableMatrix? {
        guard let gradients, tensor == ToyMethod.norm, let entry = method.parameters[tensor] else { return nil }
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

    func output(_ sublayer: Sublayer, _ z: Matrix, rows: Segments, into y: MutableMatrix, context: MicroBatchContext) {
        guard let bias = method.biases[sublayer] else { return }
        for row in 0..<z.rows {
            for i in 0..<z.columns { y[row, i] = z[row, i] + weights.base[bias.offset + i] }
        }
    }

    func outputBackward(
        _ sublayer: Sublayer, _ z: Matrix, rows: Segments, dy: Matrix, into dz: MutableMatrix,
        context: MicroBatchContext
    ) {
        guard let bias = method.biases[sublayer], let gradients else { return }
        addColumnSums(dy, to: gradients.base + bias.offset)
        copy(dy, into: dz)
    }
}
