public import Backbone
import Tensors

extension LowRankMethod {
    /// How much of a worker's workspace the method needs in addition to the backbone.
    public var footprint: MethodFootprint {
        let sites = groups.flatMap(\.sites)
        let adapted = zip(adaptedGroups, groups).filter { !$0.1.sites.isEmpty }.map(\.0.kind)
        // Low-rank columns (rank times sites) at one input, and the values between A and B.
        let columns = (groups.map(\.sites.count).max() ?? 0) * options.rankA
        let rank = sites.isEmpty ? 0 : max(options.rankA, options.rankB)
        let inputWidth = sites.map(\.projection.inputWidth).max() ?? 0
        return MethodFootprint(
            keptInputs: Set(adapted), perRow: columns,
            // Gradient and middle of each site, input after dropout, and that input's gradient.
            perRowInBackward: columns + 3 * rank + 2 * inputWidth,
            // For both groups of a sublayer, with at most three sites.
            perRowInGeneration: 3 * (columns + rank),
            perExample: hypernetwork?.floatsPerExample(modelWidth: modelWidth) ?? 0,
            narrowSide: columns == 0 ? 0 : max(columns, rank))
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
