public import Backbone
public import Tensors

/// The trainables of HyperFormer++ on one backbone: a controller for each stack, which generates the adapters after its
/// sublayers, the tasks' embedding, which the controllers share, and the norms of the backbone.
///
/// Source: Karimi Mahabadi, Ruder, Dehghani and Henderson, "Parameter-efficient multi-task fine-tuning for transformers via
/// shared hypernetworks", 2021.
public struct HyperFormerMethod: Method {
    /// Number of tasks.
    public let tasks: Int
    /// The model's width divided by the width of a generated adapter.
    public let reduction: Int
    /// The named tensors in the arena.
    public let parameters: ParameterLayout
    /// `[tasks, ControllerLayout.width]`.
    let taskEmbedding: ParameterLayout.Entry
    let controllers: [ControllerLayout]
    /// The number of each adapted sublayer among those of its stack's controller.
    private let numbers: [Sublayer: Int]
    /// The adapted sublayers in the order of computation, each with the group of its output projection.
    let adapted: [(sublayer: Sublayer, output: ProjectionGroup)]
    let norms: Set<String>

    /// Lays the trainables out on a backbone of this shape; the model's width is at least `reduction`.
    public init(tasks: Int, reduction: Int, on shape: any BackboneShape) {
        self.tasks = tasks
        self.reduction = reduction
        let bottleneck = shape.modelWidth / reduction
        var parameters = ParameterLayout()
        norms = Set(shape.tensorShapes().map(\.name).filter(shape.isNorm))
        for (name, size) in shape.tensorShapes() where shape.isNorm(name) { parameters.append(name, size) }
        taskEmbedding = parameters.append("hypernet.task_embedding.weight", [tasks, ControllerLayout.width])
        var numbers: [Sublayer: Int] = [:]
        let sublayers = Set(shape.projectionGroups().map(\.sublayer))
        controllers = Stack.allCases.filter { shape.blocks($0) > 0 }.map { stack in
            for block in 0..<shape.blocks(stack) {
                for (type, kind) in ControllerLayout.types.enumerated() {
                    let sublayer = Sublayer(stack, block, kind)
                    if sublayers.contains(sublayer) { numbers[sublayer] = block * ControllerLayout.types.count + type }
                }
            }
            return ControllerLayout(
                stack, blocks: shape.blocks(stack), modelWidth: shape.modelWidth, bottleneck: bottleneck,
                appendingTo: &parameters)
        }
        adapted = shape.projectionGroups().filter { group in
            (group.kind == .selfOutput || group.kind == .feedForwardOutput) && numbers[group.sublayer] != nil
        }.map { ($0.sublayer, $0) }
        self.numbers = numbers
        self.parameters = parameters
    }

    /// See `Method`: the sublayers with an adapter.
    public var siteCount: Int { numbers.count }

    /// The number of a sublayer's adapter among those of its stack; nil without an adapter.
    func number(_ sublayer: Sublayer) -> Int? { numbers[sublayer] }

    /// The controller that generates the adapters of a stack.
    func controller(_ stack: Stack) -> Int? { controllers.firstIndex { $0.stack == stack } }

    /// See `Method`.
    public var footprint: MethodFootprint {
        let (d, m) = (controllers.first?.modelWidth ?? 0, controllers.first?.bottleneck ?? 0)
        return MethodFootprint(
            keptOutputs: [.selfAttention, .feedForward], perRow: m, perRowInBackward: 2 * d + 2 * m + 1,
            perRowInGeneration: d + 2 * m + 1, perTask: controllers.reduce(0) { $0 + $1.floatsPerTask },
            tasks: tasks, narrowSide: m)
    }

    /// See `Method`: the embedding of tasks.
    public func isPerTask(_ trainable: ParameterLayout.Entry) -> Bool { trainable == taskEmbedding }

    /// See `Method`.
    public func adaptation(weights: ReadOnlyArena, gradients: Arena?) -> any Adaptation {
        HyperFormerAdaptation(self, weights: weights, gradients: gradients)
    }
}
