public import Backbone
import Kernels
import Tensors

extension LowRankMethod {
    /// How much of a worker's workspace the method needs in addition to the backbone.
    public var footprint: MethodFootprint {
        let sites = groups.flatMap(\.sites)
        let adapted = zip(adaptedGroups, groups).filter { !$0.1.sites.isEmpty }.map(\.0.kind)
        // Low-rank columns (rank times sites) at one input, and the values between A and B.
        let columns = (groups.map(\.sites.count).max() ?? 0) * options.rankA
        let rank = sites.isEmpty ? 0 : max(options.rankA, options.rankB)
        let masks = groups.map(maskFloats).max() ?? 0
        return MethodFootprint(
            keptInputs: Set(adapted), perRow: columns + masks,
            // Gradient and middle of each site.
            perRowInBackward: columns + 3 * rank,
            // For both groups of a sublayer, with at most three sites.
            perRowInGeneration: 3 * (columns + rank),
            perExample: hypernetwork?.floatsPerExample(modelWidth: modelWidth) ?? 0,
            narrowSide: columns == 0 ? 0 : max(columns, rank),
            inputWidths: Set(sites.map(\.projection.inputWidth)), takesWholeInputs: isWide)
    }

    /// Whether some products with an input are not small (`SmallProducts`).
    var isWide: Bool { groups.contains { $0.sites.count * options.rankA > SmallProducts.largestSide } }

    /// Floats for the bits of what a row of a group's input keeps in the dropout.
    private func maskFloats(_ group: GroupSites) -> Int {
        guard options.dropout > 0, let site = group.sites.first else { return 0 }
        let masks = options.dropoutMask == .perInput ? 1 : group.sites.count
        return masks * BitMask.byteCount(rows: 1, columns: site.projection.inputWidth) / MemoryLayout<Float>.stride
    }
}

extension HypernetworkLayout {
    /// Floats that forward and backward need for each example: the inputs and outputs of every layer, and the gradients of
    /// both.
    fileprivate func floatsPerExample(modelWidth: Int) -> Int {
        let h = options.dimension
        let perSite = options.inputs.count * h + mlp.reduce(0) { $0 + $1.bias.count } + rank
        let sample = sampleEncoder.isEmpty ? 0 : modelWidth + sampleEncoder.reduce(0) { $0 + $1.bias.count }
        return 2 * (sites * perSite + sample) + h
    }
}
