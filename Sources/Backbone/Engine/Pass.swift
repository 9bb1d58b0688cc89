import Kernels
public import Tensors

/// What all sublayers of one pass over a micro-batch share.
public struct Pass {
    /// The micro-batch, for the method.
    public let context: MicroBatchContext
    /// The dropout at the backbone's places.
    public let dropout: PassDropout
    /// Whether a backward may follow.
    public let keepsActivations: Bool
    /// This worker's projections.
    public let projections: Projections
    /// The method; nil for the backbone alone.
    public let adaptation: (any Adaptation)?
    /// Memory for values that are not kept for the backward.
    public let scratch: PassScratch

    /// Memory of the worker.
    public var workspace: Workspace { context.workspace }
    /// How far down the backward goes.
    public var depth: BackwardDepth { projections.depth }

    /// Begins a pass: resets the workspace and lets the method prepare the micro-batch. `rows` is the number of rows of the
    /// sublayer with the most rows: with an encoder the larger of source and target rows, without one their sum.
    public init(
        _ batch: RaggedBatch, rows: Int, dropout key: DropoutKey?, keepsActivations: Bool, on backbone: any Backbone,
        _ projections: Projections, _ adaptation: (any Adaptation)?, workspace: Workspace
    ) {
        workspace.reset()
        let slots = unsafe workspace.take(UInt32.self, batch.count)
        for (i, slot) in batch.slots.enumerated() { unsafe slots[i] = slot }
        let sources = Segments(lengths: batch.sourceLengths, in: workspace)
        scratch = PassScratch(rows: rows, projections.shape, in: workspace)
        context = unsafe MicroBatchContext(
            embedding: backbone.embedding, batch: batch, sources: sources, slots: UnsafePointer(slots), dropout: key,
            independentRows: !keepsActivations, workspace: workspace)
        dropout = unsafe PassDropout(key, slots: UnsafePointer(slots))
        self.keepsActivations = keepsActivations
        self.projections = projections
        self.adaptation = adaptation
        adaptation?.begin(context)
    }

    /// Memory for the input of a group: fresh memory when the group's backward needs the input again, otherwise scratch memory.
    public func memory(
        for group: ProjectionGroup, _ rows: Int, _ columns: Int, else scratchMemory: KeyPath<PassScratch, MutableMatrix>
    ) -> MutableMatrix {
        guard !(keepsActivations && depth.adapts(group)) else { return workspace.matrix(rows, columns) }
        return scratch[keyPath: scratchMemory].rows(0, rows)
    }

    /// The end of a sublayer: `y = x + drop(z)` where `z = input W^T` is the result of the output projection, changed by the
    /// method if it adapts the sublayer's output. Overwrites `y`. Returns what `finishBackward` needs.
    public func finish(
        _ group: ProjectionGroup, _ input: Matrix, _ x: Matrix, into y: MutableMatrix, _ rows: Segments,
        at place: DropoutPlace
    ) -> SublayerEnd {
        let result = scratch.result.rows(0, x.rows)
        let kept = keepsActivations ? dropout.bits(x.rows, x.columns, workspace) : nil
        guard let adaptation, adaptation.adapts(group.sublayer) else {
            projections.forward(group, input, rows, into: result, context)
            dropout.sum(x, result.readOnly, into: y, rows, at: place, keeping: kept)
            return SublayerEnd(changed: nil, kept: kept)
        }
        let z = workspace.matrix(x.rows, x.columns)
        projections.forward(group, input, rows, into: z, context)
        adaptation.output(group.sublayer, z.readOnly, rows: rows, into: result, context: context)
        dropout.sum(x, result.readOnly, into: y, rows, at: place, keeping: kept)
        return SublayerEnd(changed: z.readOnly, kept: kept)
    }

    /// Backward of `finish` for the output projection's input, from the gradient `dx` of the residual stream after the
    /// sublayer. Adds the gradients of trained tensors. Overwrites `dInput` unless that is nil.
    public func finishBackward(
        _ group: ProjectionGroup, _ input: Matrix, _ end: SublayerEnd, _ dx: Matrix, _ rows: Segments,
        into dInput: MutableMatrix?
    ) {
        var dResult = dropout.applied(end.kept, to: dx, workspace)
        if let z = end.changed, let adaptation {
            let dz = workspace.matrix(dx.rows, dx.columns)
            adaptation.outputBackward(group.sublayer, z, rows: rows, dy: dResult, into: dz, context: context)
            dResult = dz.readOnly
        }
        projections.backward(group, input, rows, dResult, into: dInput, context)
    }
}

/// What the end of a sublayer hands from its forward to its backward.
public struct SublayerEnd {
    /// `[rows, d]`: the result of the output projection; nil when the method does not change it.
    let changed: Matrix?
    /// What the dropout of the result kept; nil when nothing is dropped.
    let kept: BitMask?
}

/// Memory that all sublayers use in turn for values that are not needed after the sublayer. It has as many rows as the sublayer
/// with the most rows.
public struct PassScratch {
    /// `[rows, d]`: a sublayer's input after the norm, when no adapted projection reads it.
    public let normalised: MutableMatrix
    /// `[rows, d]`: a sublayer's result before the residual sum.
    public let result: MutableMatrix
    /// `[rows, i]`: input of an attention's output projection, when that is not adapted.
    public let attended: MutableMatrix
    /// `[rows, d_ff]`: input of a feed-forward's output projection, when that is not adapted.
    public let inner: MutableMatrix

    init(rows: Int, _ shape: any BackboneShape, in workspace: Workspace) {
        normalised = workspace.matrix(rows, shape.modelWidth)
        result = workspace.matrix(rows, shape.modelWidth)
        attended = workspace.matrix(rows, shape.innerWidth)
        inner = workspace.matrix(rows, shape.feedForwardWidth)
    }
}
