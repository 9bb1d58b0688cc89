public import Backbone
public import Tensors

/// One adapted projection.
struct Site: Sendable {
    /// Position index m among the chosen sites.
    let index: Int
    /// Index of the projection in its group.
    let position: Int
    let projection: Projection
    /// A: `[rankA, in]`, or `[tasks, rankA, in]`.
    let a: ParameterLayout.Entry
    /// B: `[out, rankB]`, or `[tasks, out, rankB]`.
    let b: ParameterLayout.Entry
    /// C: `[rankB, rankA]`, or `[tasks, rankB, rankA]`; nil when the ranks are equal.
    let c: ParameterLayout.Entry?
}

/// The adapted sites of one group.
struct GroupSites: Sendable {
    let sites: [Site]
}

/// The trainables of a low-rank method on one backbone: sites, their tensors, and the tensors' positions in the arena.
public struct LowRankMethod: Method {
    /// The options it was made from.
    public let options: LowRankOptions
    /// The named tensors in the arena.
    public let parameters: ParameterLayout
    /// Module paths of the sites in canonical order; the index is the position index m.
    public let siteNames: [String]
    let groups: [GroupSites]
    /// The sites of each of the model's groups, in the same order.
    let adaptedGroups: [ProjectionGroup]
    let hypernetwork: HypernetworkLayout?
    let modelWidth: Int
    /// The block of each trainable of a projection, by the trainable's name.
    private let blocks: [String: Block]

    /// Lays the trainables out on a backbone of this shape.
    public init(_ options: LowRankOptions, on shape: any BackboneShape) {
        self.options = options
        modelWidth = shape.modelWidth
        var parameters = ParameterLayout()
        var names: [String] = []
        var blocks: [String: Block] = [:]
        let lead = options.method == .loraPerTask ? [options.tasks] : []
        adaptedGroups = shape.projectionGroups()
        groups = adaptedGroups.map { group in
            let chosen = group.projections.enumerated().filter {
                options.method != .frozen && options.targets.contains($0.element.leaf, in: group)
            }
            let a = chosen.map {
                parameters.append($0.element.name + ".lora_A.weight", lead + [options.rankA, $0.element.inputWidth])
            }
            var sites: [Site] = []
            for ((position, projection), a) in zip(chosen, a) {
                let b = parameters.append(
                    projection.name + ".lora_B.weight", lead + [projection.outputWidth, options.rankB])
                let c =
                    options.rankA == options.rankB
                    ? nil
                    : parameters.append(projection.name + ".lora_C.weight", lead + [options.rankB, options.rankA])
                sites.append(
                    Site(index: names.count, position: position, projection: projection, a: a, b: b, c: c))
                names.append(projection.name)
                for entry in [a, b] + (c.map { [$0] } ?? []) { blocks[entry.name] = group.sublayer.parent }
            }
            return GroupSites(sites: sites)
        }
        siteNames = names
        self.blocks = blocks
        hypernetwork =
            options.method == .unoloraStar
            ? HypernetworkLayout(
                options.hyper, tasks: options.tasks, sites: names.count, rank: options.rankA,
                modelWidth: shape.modelWidth, appendingTo: &parameters)
            : nil
        self.parameters = parameters
    }

    /// See `Method`.
    public var siteCount: Int { siteNames.count }

    /// See `Method`: the block of the trainable's projection; nil for the hypernetwork, whose gradients come at the end.
    public func block(of trainable: ParameterLayout.Entry) -> Block? { blocks[trainable.name] }

    /// See `Method`: the sites of `lora_per_task`, and the hypernetwork's embedding of tasks.
    public func isPerTask(_ trainable: ParameterLayout.Entry) -> Bool {
        options.method == .loraPerTask || trainable == hypernetwork?.taskEmbedding
    }

    /// See `Method`: none of a frozen A or B; of the hypernetwork, those that `HypernetworkOptions.Trained` says.
    public func trainedRows(of trainable: ParameterLayout.Entry) -> [Int]? {
        if trainable.name.hasSuffix(".lora_A.weight") { return options.freezesA ? [] : nil }
        if trainable.name.hasSuffix(".lora_B.weight") { return options.freezesB ? [] : nil }
        guard trainable.name.hasPrefix("hypernet.") else { return nil }
        return switch options.hyper.trained {
        case .everything: nil
        case .nothing: []
        case .tasks(let tasks): trainable == hypernetwork?.taskEmbedding ? tasks : []
        }
    }

    /// See `Method`.
    public func adaptation(weights: ReadOnlyArena, gradients: Arena?) -> any Adaptation {
        LowRankAdaptation(self, weights: weights, gradients: gradients)
    }

    /// The adapted projection with the smallest side, the first among equals; no update of it can have a higher rank. Nil when
    /// nothing is adapted.
    public var narrowest: Projection? {
        groups.flatMap(\.sites).map(\.projection).min { $0.smallerSide < $1.smallerSide }
    }
}
