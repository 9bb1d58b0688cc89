import Backbone
public import Kernels
public import Tensors

extension LowRankMethod {
    /// Texts whose scales are computed together.
    private static let batch = 64

    /// Whether a hypernetwork scales the low-rank dimensions (`unolora_star`).
    public var hasScales: Bool { hypernetwork != nil }

    /// Whether the scales of an example depend on its text, not only on its task and the site.
    public var scalesReadTexts: Bool { hypernetwork.map { !$0.sampleEncoder.isEmpty } ?? false }

    /// The scales of a task if they do not depend on the text; nil if they do, and for a method without scales.
    public func scales(task: Int, weights: ReadOnlyArena) -> TaskScales? {
        guard let layout = hypernetwork, !scalesReadTexts else { return nil }
        let hypernetwork = Hypernetwork(layout, weights: weights, gradients: nil)
        let workspace = Workspace()
        hypernetwork.forward(tasks: [task], sample: nil, workspace)
        var sums = ScaleSums(layout)
        sums.add(hypernetwork.scales.copied())
        return sums.scales(readTexts: false)
    }

    /// The sums of the scales of a task's texts, as in generation: without dropout, and each text for itself. Nil for a method
    /// without scales.
    ///
    /// - Parameters:
    ///   - texts: the numbers of the texts; `source` returns the ids of one, at least one id, end token included.
    ///   - embedding: the backbone's embedding of source tokens.
    ///   - workspace: memory of the calling thread, overwritten.
    public func scaleSums(
        task: Int, weights: ReadOnlyArena, texts: Range<Int>, embedding: FrozenWeight, workspace: Workspace,
        source: (Int) -> UnsafeBufferPointer<Int32>
    ) -> ScaleSums? {
        guard let layout = hypernetwork else { return nil }
        precondition((0..<options.tasks).contains(task), "a task that the adapter does not have")
        let hypernetwork = Hypernetwork(layout, weights: weights, gradients: nil)
        var sums = ScaleSums(layout)
        var batch = RaggedBatch()
        for start in stride(from: texts.lowerBound, to: texts.upperBound, by: Self.batch) {
            batch.removeAll()
            for text in start..<min(start + Self.batch, texts.upperBound) {
                unsafe batch.append(source: source(text), target: [], task: task, slot: 0)
            }
            workspace.reset()
            let slots = unsafe workspace.take(UInt32.self, batch.count)
            for (i, slot) in batch.slots.enumerated() { unsafe slots[i] = slot }
            let context = unsafe MicroBatchContext(
                embedding: embedding, batch: batch, sources: Segments(lengths: batch.sourceLengths, in: workspace),
                slots: UnsafePointer(slots), dropout: nil, independentRows: true, workspace: workspace)
            hypernetwork.forward(context)
            for example in 0..<batch.count {
                sums.add(hypernetwork.scales.rows(example * layout.sites, layout.sites).copied())
            }
        }
        return sums
    }
}
