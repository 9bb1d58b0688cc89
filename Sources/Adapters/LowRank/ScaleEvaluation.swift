public import Backbone
import Kernels
public import Tensors

/// The scales that the hypernetwork of `unolora_star` gives to examples, without a pass through the backbone. It belongs to one
/// thread at a time; the scales have the same bits as in a pass.
public final class ScaleEvaluation {
    private let hypernetwork: Hypernetwork
    private let layout: HypernetworkLayout
    private let embedding: FrozenWeight
    private let workspace = Workspace()

    /// Number of sites.
    public var sites: Int { layout.sites }
    /// Number of scales at each site.
    public var rank: Int { layout.rank }

    /// Nil for a method without scales. `weights` have the method's layout.
    public init?(_ method: LowRankMethod, weights: ReadOnlyArena, on backbone: any Backbone) {
        guard let layout = method.hypernetwork else { return nil }
        self.layout = layout
        hypernetwork = Hypernetwork(layout, weights: weights, gradients: nil)
        embedding = backbone.embedding
    }

    /// Adds the scales of each example of a batch to `sums`, `[sites, rank]` in one row after the other.
    public func add(_ batch: RaggedBatch, to sums: inout [Double]) {
        precondition(sums.count == sites * rank, "sums of another layout")
        workspace.reset()
        let slots = unsafe workspace.take(UInt32.self, batch.count)
        unsafe slots.update(repeating: 0, count: batch.count)
        let context = unsafe MicroBatchContext(
            embedding: embedding, batch: batch, sources: Segments(lengths: batch.sourceLengths, in: workspace),
            slots: UnsafePointer(slots), dropout: nil, independentRows: true, workspace: workspace)
        hypernetwork.forward(context)
        for example in 0..<batch.count {
            for site in 0..<sites {
                let scales = unsafe hypernetwork.scale(example: example, site: site)
                for k in 0..<rank { unsafe sums[site * rank + k] += Double(scales[k]) }
            }
        }
    }
}
