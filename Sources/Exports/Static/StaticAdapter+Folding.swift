package import Adapters
package import Tensors
import Training

extension StaticAdapter {
    /// The adapter of a low-rank method for one task, without what depends on the example.
    ///
    /// At a site `y += (alpha/rankA) B C diag(s) A x`, with the task's A, B and C, and `scales` in place of s, `[sites, rankA]`; nil
    /// stands for scales of 1. C and s are folded into A or B: products and sums in Double, each result rounded once. The rank is
    /// the larger one of A and B:
    ///
    /// - without C: `B' = B diag(s)`, and A stays;
    /// - rankA > rankB: `B' = B C diag(s)`, and A stays;
    /// - rankB > rankA: `A' = C diag(s) A`, and B stays; `alpha' = alpha rankB / rankA`, so that alpha'/rankB is alpha/rankA.
    ///
    /// What is not multiplied keeps its bits.
    package init(_ method: LowRankMethod, weights: ReadOnlyArena, task: Int, scales: [Double]? = nil) {
        let options = method.options
        let (rankA, rankB) = (options.rankA, options.rankB)
        precondition(scales.map { $0.count == method.siteCount * rankA } ?? true, "scales of another method")
        func part(_ name: String) -> (values: [Float], rows: Int, columns: Int)? {
            guard let entry = method.parameters[name] else { return nil }
            let (rows, columns) = (entry.shape[entry.shape.count - 2], entry.shape[entry.shape.count - 1])
            let start = entry.offset + (method.isPerTask(entry) ? task * rows * columns : 0)
            return (unsafe Array(weights.elements[start..<start + rows * columns]), rows, columns)
        }
        var sites: [Site] = []
        for (index, module) in method.siteNames.enumerated() {
            guard let a = part(module + PEFTNames.a), let b = part(module + PEFTNames.b) else {
                preconditionFailure("\(module) has A and B")
            }
            let s = scales.map { Array($0[index * rankA..<(index + 1) * rankA]) }
            let core = part(module + ".lora_C.weight")?.values
            // C diag(s), `[rankB, rankA]`; nil for the identity.
            var middle = core.map { $0.map(Double.init) }
            if let s {
                middle =
                    middle.map { c in c.indices.map { c[$0] * s[$0 % rankA] } } ?? Self.diagonal(s)
            }
            var (foldedA, foldedB) = (a.values, b.values)
            if let middle {
                if rankB > rankA {
                    foldedA = Self.product(
                        middle, rows: rankB, inner: rankA, a.values.map(Double.init), columns: a.columns)
                } else {
                    foldedB = Self.product(
                        b.values.map(Double.init), rows: b.rows, inner: rankB, middle, columns: rankA)
                }
            }
            sites.append(
                Site(module: module, inputWidth: a.columns, outputWidth: b.rows, a: foldedA, b: foldedB))
        }
        rank = max(rankA, rankB)
        alpha = rankB > rankA ? options.alpha * Double(rankB) / Double(rankA) : options.alpha
        dropout = options.dropout
        self.sites = sites
    }

    private static func diagonal(_ s: [Double]) -> [Double] {
        (0..<s.count * s.count).map { $0 / s.count == $0 % s.count ? s[$0 % s.count] : 0 }
    }

    /// `x y` with `x: [rows, inner]` and `y: [inner, columns]`, summed in Double and rounded once.
    private static func product(_ x: [Double], rows: Int, inner: Int, _ y: [Double], columns: Int) -> [Float] {
        var result: [Float] = []
        result.reserveCapacity(rows * columns)
        var sums = [Double](repeating: 0, count: columns)
        for row in 0..<rows {
            for column in 0..<columns { sums[column] = 0 }
            for k in 0..<inner {
                let factor = x[row * inner + k]
                for column in 0..<columns { sums[column] += factor * y[k * columns + column] }
            }
            result.append(contentsOf: sums.lazy.map(Float.init))
        }
        return result
    }
}
