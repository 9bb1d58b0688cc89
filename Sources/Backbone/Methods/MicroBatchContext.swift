public import Kernels
public import Tensors

/// What a method needs to know about the micro-batch. Safe except for `slots`, which are valid as long as the pass.
@safe public struct MicroBatchContext {
    /// The backbone's embedding of source tokens: `[vocabulary, d]`.
    public let embedding: FrozenWeight
    /// The examples.
    public let batch: RaggedBatch
    /// Source rows of each example.
    public let sources: Segments
    /// Place of each example in the global batch.
    public let slots: UnsafePointer<UInt32>
    /// Seed and step of the dropout; nil when nothing is dropped (evaluation).
    public let dropout: DropoutKey?
    /// Whether a row's bits must not depend on the other rows, that is on the other examples: true in generation. A training
    /// pass takes the fastest product instead; its micro-batches are the same whichever worker computes them.
    public let independentRows: Bool
    /// Scratch memory of the worker.
    public let workspace: Workspace

    /// Describes a micro-batch.
    public init(
        embedding: FrozenWeight, batch: RaggedBatch, sources: Segments, slots: UnsafePointer<UInt32>,
        dropout: DropoutKey?, independentRows: Bool, workspace: Workspace
    ) {
        self.embedding = embedding
        self.batch = batch
        self.sources = sources
        unsafe self.slots = slots
        self.dropout = dropout
        self.independentRows = independentRows
        self.workspace = workspace
    }
}

/// Seed and step that determine each place's dropout.
public struct DropoutKey: Sendable {
    /// Seed of the run.
    public let seed: UInt64
    /// Training step.
    public let step: UInt32
    /// Rate at the backbone's own places.
    public let rate: Double

    /// Creates the key of a step.
    public init(seed: UInt64, step: UInt32, rate: Double) {
        self.seed = seed
        self.step = step
        self.rate = rate
    }
}
