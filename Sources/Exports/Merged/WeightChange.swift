package import Tensors

/// How an adapter changes the weights of its base.
package protocol WeightChange {
    /// The change of a tensor, by its name in the base's files; nil for a tensor that keeps its bytes.
    func change(of tensor: String) -> TensorChange?
    /// The tensors that it changes and that are not among the names of the base's, in order.
    func absent(among names: Set<String>) -> [String]
}

/// The change of one tensor: from one row of the base's numbers it makes the row of new ones, both in Double.
package struct TensorChange {
    /// Shape of the tensor, as rows and columns.
    package let rows: Int
    package let columns: Int
    /// Overwrites `sums`, `[columns]`, with the new numbers of a row, and `updates` with their differences from the old ones.
    package let row: (_ index: Int, _ old: [Double], _ sums: inout [Double], _ updates: inout [Double]) -> Void
}

/// `W + factor B A` at the sites of a static adapter.
package struct LowRankChange: WeightChange {
    private let sites: [String: StaticAdapter.Site]
    private let factor: Double
    private let rank: Int

    package init(_ adapter: StaticAdapter) {
        sites = Dictionary(uniqueKeysWithValues: adapter.sites.map { ($0.module + ".weight", $0) })
        (factor, rank) = (adapter.factor, adapter.rank)
    }

    package func absent(among names: Set<String>) -> [String] { sites.keys.filter { !names.contains($0) }.sorted() }

    package func change(of tensor: String) -> TensorChange? {
        guard let site = sites[tensor] else { return nil }
        let (rank, factor) = (rank, factor)
        let a = site.a.map(Double.init)
        return TensorChange(rows: site.outputWidth, columns: site.inputWidth) { row, old, sums, updates in
            for column in old.indices { updates[column] = 0 }
            for k in 0..<rank {
                let b = factor * Double(site.b[row * rank + k])
                for column in old.indices { updates[column] += b * a[k * old.count + column] }
            }
            for column in old.indices { sums[column] = old[column] + updates[column] }
        }
    }
}

/// The trained weights of `full` in place of the base's.
package struct WholeChange: WeightChange {
    private let layout: ParameterLayout
    private let weights: ReadOnlyArena
    private let aliases: [String: String]

    /// `aliases` are the names under which files repeat a tensor, each with the model's own name for it.
    package init(_ layout: ParameterLayout, _ weights: ReadOnlyArena, aliases: [(name: String, of: String)]) {
        (self.layout, self.weights) = (layout, weights)
        self.aliases = Dictionary(aliases.map { ($0.name, $0.of) }) { first, _ in first }
    }

    package func absent(among names: Set<String>) -> [String] {
        let found = names.union(names.compactMap { aliases[$0] })
        return layout.entries.map(\.name).filter { !found.contains($0) }
    }

    package func change(of tensor: String) -> TensorChange? {
        guard let entry = layout[tensor] ?? aliases[tensor].flatMap({ layout[$0] }) else { return nil }
        let columns = entry.shape.last ?? 1
        return TensorChange(rows: entry.count / max(columns, 1), columns: columns) { row, old, sums, updates in
            let start = entry.offset + row * columns
            for column in old.indices {
                sums[column] = Double(unsafe weights.elements[start + column])
                updates[column] = sums[column] - old[column]
            }
        }
    }
}
