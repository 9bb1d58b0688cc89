import T5

extension LowRankLayout {
    /// What the method takes of a worker's workspace beside the backbone.
    public var footprint: Footprint.LowRank {
        let sites = groups.flatMap(\.sites)
        let adapted = zip(configurationGroups, groups).filter { !$0.1.sites.isEmpty }.map(\.0.kind)
        return Footprint.LowRank(
            columns: (groups.map(\.sites.count).max() ?? 0) * options.rankA,
            inputWidth: sites.map(\.projection.inputWidth).max() ?? 0,
            rank: sites.isEmpty ? 0 : max(options.rankA, options.rankB),
            perExample: hypernetwork?.floatsPerExample(modelWidth: modelWidth) ?? 0,
            adapted: Set(adapted))
    }
}

extension HypernetworkLayout {
    /// Floats that forward and backward take for each example: what every layer reads and gives, and the gradients of
    /// both.
    fileprivate func floatsPerExample(modelWidth: Int) -> Int {
        let h = options.dimension
        let perSite = options.inputs.count * h + mlp.reduce(0) { $0 + $1.bias.count } + rank
        let sample = sampleEncoder.isEmpty ? 0 : modelWidth + sampleEncoder.reduce(0) { $0 + $1.bias.count }
        return 2 * (sites * perSite + sample) + h
    }
}
