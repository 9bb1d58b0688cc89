public import Failures
import Glibc
public import Kernels
public import Tensors

/// A frozen model: views of its weights. All workers share the memory and, where the file allows it, all ranks of a node do. An
/// engine computes with the model; each worker has its own.
public protocol Backbone: AnyObject, Sendable {
    /// Sizes and names.
    var shape: any BackboneShape { get }
    /// All projection groups in the order of computation.
    var groups: [ProjectionGroup] { get }
    /// `[vocabulary, d]`.
    var embedding: FrozenWeight { get }
    /// Output matrix `[vocabulary, d]`; the embedding itself when tied.
    var output: FrozenMatrix { get }
    /// The longest source or target that it supports. Without an encoder a source and a target of that length follow each other.
    var maximumLength: Int { get }
    /// Whether matrices were rounded to bfloat16 while the files hold them as mapped float32. Then a comparison with the
    /// original numbers needs no additional memory.
    var isRoundedFromMapped: Bool { get }
    /// The first file of the model that has changed since it was opened, and how; nil while none has.
    var fileChange: (path: String, what: String)? { get }
    /// The same model computing with its weights in float32 and without packs, as the reference for packed products. It shares
    /// all memory with this one.
    var unpacked: any Backbone { get }

    /// The matrices `[out, in]` of a group's projections, as one matrix.
    func weights(_ group: ProjectionGroup) -> FrozenMatrix

    /// The weight with this name in `shape.tensorShapes()`, vectors as one row; nil for any other name.
    func tensor(named name: String) -> FrozenWeight?

    /// The same model with other numbers for some tensors. These are trained and change, so their matrices are not packed. It
    /// shares all other memory with this one, and keeps `owner` alive, which holds the trained numbers.
    func computing(with trained: [String: Matrix], of owner: ReadOnlyArena) -> any Backbone

    /// How far down the backward goes with a method.
    func backwardDepth(_ adaptation: (any Adaptation)?) -> BackwardDepth

    /// An engine for one worker.
    func engine(_ adaptation: (any Adaptation)?, workspace: Workspace) -> any BackboneEngine
}

/// A kind of backbone that can be opened from a directory in Hugging Face's layout.
public protocol BackboneFamily: Backbone {
    /// The accepted values of `model_type` in `config.json`.
    static var modelTypes: [String] { get }

    /// Reads the shape; the weights need not be there. Throws `inputMissing` or `badData`.
    static func shape(directory: String) throws(Failure) -> any BackboneShape

    /// Refuses everything that `open` would refuse, without converting anything, and also weights that are not finite. Returns
    /// the digest of everything that decides the model's numbers.
    static func check(directory: String) throws(Failure) -> ContentDigest

    /// Digest of the identity of the files that `open` would read: equal for two processes of a node that read the same files.
    static func fileIdentity(directory: String) throws(Failure) -> ContentDigest

    /// Opens the model for sources and targets of at most `maximumLength` tokens.
    ///
    /// Tensors that the file has in another format than `format`, or that cannot be used in place, are converted once into the
    /// memory that `convertedMemory(byteCount)` returns; the others are used from the mapped file. With `packing` the
    /// projections' products use packed copies, which need `float32`.
    static func open(
        directory: String, maximumLength: Int, format: WeightFormat, packing: WeightPacking?,
        convertedMemory: (Int) throws(Failure) -> any FrozenMemory
    ) throws(Failure) -> any Backbone
}

extension BackboneFamily {
    /// For a model that consists of `config.json` and files of tensors.
    public static func fileIdentity(directory: String) throws(Failure) -> ContentDigest {
        let paths = [directory + "/config.json"] + (try TensorCollection(directory: directory)).files.map(\.path)
        var text = ""
        for path in paths {
            guard let identity = FileIdentity(status: path) else {
                throw Failure(.inputMissing, "\(path) cannot be read: \(systemMessage(errno)); check the path")
            }
            text += identity.text
        }
        return ContentDigest(of: text)
    }
}

/// Sizes of a backbone and names of its tensors: everything that is known without its weights.
public protocol BackboneShape: Sendable {
    /// Rows of the embedding.
    var vocabularySize: Int { get }
    /// Width of the residual stream, d.
    var modelWidth: Int { get }
    /// Attention heads.
    var heads: Int { get }
    /// Width of all heads together.
    var innerWidth: Int { get }
    /// Width inside the feed-forward.
    var feedForwardWidth: Int { get }
    /// Dropout rate at the backbone's own places in training, as the model's file gives it.
    var dropoutRate: Double { get }
    /// Id of padding.
    var padToken: Int32 { get }
    /// Id of the end of a text.
    var endToken: Int32 { get }

    /// Blocks of a stack; 0 for a stack that the model does not have.
    func blocks(_ stack: Stack) -> Int
    /// All groups of the model in the order of computation.
    func projectionGroups() -> [ProjectionGroup]
    /// The tensors of the model, in canonical order.
    func tensorShapes() -> [(name: String, shape: [Int])]
    /// Names under which some files repeat a tensor of `tensorShapes`, each with the tensor that it repeats.
    func aliases() -> [(name: String, of: String)]
    /// Whether a tensor of `tensorShapes` is the factor of a norm.
    func isNorm(_ tensor: String) -> Bool
    /// The block whose backward is the last to add to the gradient of a tensor of `tensorShapes`; nil for a tensor outside of
    /// the blocks, such as the embedding.
    func block(of tensor: String) -> Block?
    /// Bytes of all weights in a format.
    func weightBytes(_ format: WeightFormat) -> Int

    /// Bytes of a worker's workspace for a training pass over a micro-batch: forward, kept activations and backward.
    func trainingBytes(_ lengths: BatchLengths, _ method: MethodFootprint) -> Int
    /// The same for answering a batch of examples with up to `steps` tokens each, and for the log-probabilities of `targets`
    /// answers to each; only the lengths of the sources count.
    func answeringBytes(_ lengths: BatchLengths, steps: Int, targets: Int, _ method: MethodFootprint) -> Int
    /// Floating-point operations of the products with frozen weights in a training pass over one example: forward and
    /// gradients of all inputs.
    func operations(source: Double, target: Double) -> Double
}

extension BackboneShape {
    /// Number of weights of the backbone; tied weights count once.
    public var weightCount: Int { tensorShapes().reduce(0) { $0 + $1.shape.reduce(1, *) } }
    /// All blocks in the order in which a backward finishes them.
    public var backwardOrder: [Block] {
        Stack.allCases.reversed().flatMap { stack in (0..<blocks(stack)).reversed().map { Block(stack, $0) } }
    }
    /// Blocks of all stacks.
    public var blockCount: Int { Stack.allCases.reduce(0) { $0 + blocks($1) } }
}
