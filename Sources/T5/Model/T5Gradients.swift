import Backbone
import Tensors

/// Where a worker adds the gradients of trained tensors other than projections; nil for frozen tensors.
struct T5Gradients {
    private var norms: [Sublayer: MutableMatrix] = [:]
    private var finalNorms: [Stack: MutableMatrix] = [:]
    private var biases: [Stack: MutableMatrix] = [:]
    /// `[vocabulary, d]`: gradient of the rows from which tokens were read.
    let embedding: MutableMatrix?
    /// `[vocabulary, d]`: gradient of the output matrix; the same memory as `embedding` when tied.
    let output: MutableMatrix?

    init(_ configuration: T5Configuration, _ adaptation: (any Adaptation)?) {
        embedding = adaptation?.gradient(of: T5Configuration.embeddingName)
        output =
            configuration.outputMatrix == .embedding
            ? embedding : adaptation?.gradient(of: T5Configuration.outputName)
        for stack in Stack.allCases {
            finalNorms[stack] = adaptation?.gradient(of: configuration.finalNormName(stack))
            biases[stack] = adaptation?.gradient(of: configuration.biasName(stack))
            for block in 0..<configuration.blocks(stack) {
                for sublayer in configuration.sublayers(stack, block) {
                    norms[sublayer] = adaptation?.gradient(of: configuration.normName(sublayer))
                }
            }
        }
    }

    /// `[1, d]`.
    func norm(_ sublayer: Sublayer) -> MutableMatrix? { norms[sublayer] }
    /// `[1, d]`.
    func finalNorm(_ stack: Stack) -> MutableMatrix? { finalNorms[stack] }
    /// `[buckets, heads]`.
    func bias(_ stack: Stack) -> MutableMatrix? { biases[stack] }

    /// How far down the backward must go for these gradients and for what the method adapts.
    func depth(_ groups: [ProjectionGroup], _ adaptation: (any Adaptation)?) -> BackwardDepth {
        var trained = BackwardDepth.TrainedParts()
        trained.norms = Set(norms.keys)
        trained.finalNorms = Set(finalNorms.keys)
        trained.biases = Set(biases.keys)
        trained.embedding = embedding != nil
        trained.output = output != nil
        return BackwardDepth(groups, adaptation, trained: trained)
    }
}
