import Backbone
public import Tensors

/// An adapted projection of a low-rank method, for code that looks at its matrices.
public struct LowRankSite: Sendable {
    /// The projection's path in the model's files.
    public let name: String
    /// Its place within a block, the same for all blocks of a stack: see `ProjectionGroup.region`.
    public let kind: String
    /// A: `[rankA, in]`, or `[tasks, rankA, in]`.
    public let a: ParameterLayout.Entry
    /// B: `[out, rankB]`, or `[tasks, out, rankB]`.
    public let b: ParameterLayout.Entry
    /// C: `[rankB, rankA]`, or `[tasks, rankB, rankA]`; nil when the ranks are equal.
    public let c: ParameterLayout.Entry?

    /// A tensor of the site as a matrix; of a tensor with a part for each task the part of `task`.
    public static func matrix(_ entry: ParameterLayout.Entry, task: Int, of weights: ReadOnlyArena) -> Matrix {
        let (rows, columns) = (entry.shape[entry.shape.count - 2], entry.shape[entry.shape.count - 1])
        let part = entry.shape.count == 3 ? task * rows * columns : 0
        precondition(part >= 0 && part + rows * columns <= entry.count, "a task that the adapter does not have")
        return weights.matrix(at: entry.offset + part, rows: rows, columns: columns)
    }
}

extension LowRankMethod {
    /// All sites in canonical order.
    public var sites: [LowRankSite] {
        zip(adaptedGroups, groups).flatMap { group, chosen in
            chosen.sites.map { site in
                LowRankSite(
                    name: site.projection.name, kind: "\(group.region).\(site.projection.leaf)", a: site.a, b: site.b,
                    c: site.c)
            }
        }
    }
}
