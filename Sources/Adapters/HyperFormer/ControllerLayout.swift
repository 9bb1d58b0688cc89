import Backbone
import Tensors

/// The tensors of one stack's controller in the layout of the arena.
///
/// For a task, a block and a type of sublayer it computes `i = layerNorm(W1 relu(W0 [task; block; type] + b0) + b1)`, and from `i`
/// by one linear head each the numbers of an adapter (`Head`).
struct ControllerLayout: Sendable {
    /// Width of the embeddings and of `i`.
    static let width = 64
    /// Added to the variance in the controller's norm.
    static let epsilon: Float = 1e-6
    /// The sublayers that have an adapter; the position is the row of the type's embedding.
    static let types: [Sublayer.Kind] = [.feedForward, .selfAttention]

    /// What a head generates, in the order of the tensors' names in an adapter's file.
    enum Head: Int, CaseIterable {
        /// Up projection `[d, m]`.
        case upWeight
        /// `[d]`.
        case upBias
        /// Down projection `[m, d]`.
        case downWeight
        /// `[m]`.
        case downBias
        /// Factor after the adapter's norm, `[d]`.
        case normWeight
        /// Summand after the adapter's norm, `[d]`.
        case normBias

        /// All of them, made once: a step allocates nothing.
        static let all = allCases

        fileprivate var name: String {
            switch self {
            case .upWeight: "up_weight"
            case .upBias: "up_bias"
            case .downWeight: "down_weight"
            case .downBias: "down_bias"
            case .normWeight: "norm_weight"
            case .normBias: "norm_bias"
            }
        }
    }

    let stack: Stack
    let blocks: Int
    let modelWidth: Int
    let bottleneck: Int
    /// `[blocks, width]`.
    let blockEmbedding: ParameterLayout.Entry
    /// `[types, width]`.
    let typeEmbedding: ParameterLayout.Entry
    /// The layers `3 width -> 2 width` and `2 width -> width`.
    let layers: [LinearEntries]
    /// Factor and summand of the norm, `[width]`.
    let normWeight: ParameterLayout.Entry
    let normBias: ParameterLayout.Entry
    private let heads: [LinearEntries]

    init(
        _ stack: Stack, blocks: Int, modelWidth: Int, bottleneck: Int, appendingTo parameters: inout ParameterLayout
    ) {
        self.stack = stack
        self.blocks = blocks
        self.modelWidth = modelWidth
        self.bottleneck = bottleneck
        let (name, e) = ("hypernet.\(stack.name)", Self.width)
        // The files of HyperFormer++ call a block a layer, and a type of sublayer a block.
        blockEmbedding = parameters.append("\(name).layer_embedding.weight", [blocks, e])
        typeEmbedding = parameters.append("\(name).block_embedding.weight", [Self.types.count, e])
        layers = [(3 * e, 2 * e), (2 * e, e)].enumerated().map {
            LinearEntries("\(name).proj.\($0.offset)", $0.element, &parameters)
        }
        normWeight = parameters.append("\(name).norm.weight", [e])
        normBias = parameters.append("\(name).norm.bias", [e])
        heads = Head.allCases.map {
            LinearEntries(
                "\(name).\($0.name)", (e, Self.size($0, modelWidth: modelWidth, bottleneck: bottleneck)), &parameters)
        }
    }

    /// Weight `[size, width]` and bias `[size]` of a head.
    func entries(_ head: Head) -> LinearEntries { heads[head.rawValue] }

    /// How many numbers a head generates.
    func size(_ head: Head) -> Int { Self.size(head, modelWidth: modelWidth, bottleneck: bottleneck) }

    private static func size(_ head: Head, modelWidth d: Int, bottleneck m: Int) -> Int {
        switch head {
        case .upWeight, .downWeight: d * m
        case .upBias, .normWeight, .normBias: d
        case .downBias: m
        }
    }

    /// Adapters that the controller generates for one task.
    var adaptersPerTask: Int { blocks * Self.types.count }

    /// Floats of a pass for one task, of which half are needed without a backward: the generated numbers and their gradients;
    /// input, hidden layer, normalised rows and state of the controller, the roots of its norm, and at most as much for their
    /// gradients.
    var floatsPerTask: Int {
        let generated = Head.allCases.reduce(0) { $0 + size($1) }
        let own = (3 + 2 + 1 + 1) * Self.width + 1
        return adaptersPerTask * 2 * (generated + own)
    }
}
