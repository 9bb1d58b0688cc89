import Tensors

/// The hypernetwork's tensors in the layout of the arena.
struct HypernetworkLayout: Sendable {
    let options: HypernetworkOptions
    let sites: Int
    let rank: Int
    /// `[tasks, h]`; nil when the task is not an input.
    let taskEmbedding: ParameterLayout.Entry?
    /// `[sites or modulus, h]`.
    let positionEmbedding: ParameterLayout.Entry?
    /// Weight and bias of d->bottleneck, bottleneck->bottleneck, bottleneck->h; empty when the sample is not an input.
    let sampleEncoder: [LinearEntries]
    /// Weight and bias of kh->2h, 2h->2h, 2h->2h, 2h->e for k inputs.
    let mlp: [LinearEntries]
    /// U: `[sites, r, e]`.
    let scaleWeight: ParameterLayout.Entry
    /// c: `[sites, r]`.
    let scaleBias: ParameterLayout.Entry

    init(
        _ options: HypernetworkOptions, tasks: Int, sites: Int, rank: Int, modelWidth: Int,
        appendingTo parameters: inout ParameterLayout
    ) {
        self.options = options
        self.sites = sites
        self.rank = rank
        let h = options.dimension
        taskEmbedding =
            options.inputs.contains(.task) ? parameters.append("hypernet.task_embedding.weight", [tasks, h]) : nil
        positionEmbedding =
            options.inputs.contains(.position)
            ? parameters.append("hypernet.position_embedding.weight", [options.positionModulus ?? sites, h]) : nil
        let b = options.bottleneck
        sampleEncoder =
            options.inputs.contains(.sample)
            ? [(modelWidth, b), (b, b), (b, h)].enumerated().map {
                LinearEntries("hypernet.sample_encoder.\($0.offset)", $0.element, &parameters)
            } : []
        mlp = [(options.inputs.count * h, 2 * h), (2 * h, 2 * h), (2 * h, 2 * h), (2 * h, options.outputDimension)]
            .enumerated().map { LinearEntries("hypernet.mlp.\($0.offset)", $0.element, &parameters) }
        scaleWeight = parameters.append("hypernet.scale.weight", [sites, rank, options.outputDimension])
        scaleBias = parameters.append("hypernet.scale.bias", [sites, rank])
    }

    /// Row of the position embedding that a site uses.
    func position(_ site: Int) -> Int { options.positionModulus.map { site % $0 } ?? site }
}

/// Weight `[out, in]` and bias `[out]` of a linear layer.
struct LinearEntries: Sendable {
    let weight: ParameterLayout.Entry
    let bias: ParameterLayout.Entry

    init(_ name: String, _ size: (input: Int, output: Int), _ parameters: inout ParameterLayout) {
        weight = parameters.append(name + ".weight", [size.output, size.input])
        bias = parameters.append(name + ".bias", [size.output])
    }
}
