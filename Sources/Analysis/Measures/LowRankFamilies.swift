package import Failures

/// The matrices of one site of a low-rank method: what it adds to the weight is `B core A`.
package struct LowRankMatrices: Sendable {
    package let site: SiteLabel
    /// `[rankA, in]`.
    package let a: DenseMatrix
    /// `[out, rankB]`.
    package let b: DenseMatrix
    /// `alpha / rankA` times C, `[rankB, rankA]`; times the identity without a C.
    package let core: DenseMatrix

    package init(site: SiteLabel, a: DenseMatrix, b: DenseMatrix, core: DenseMatrix) {
        precondition(core.rows == b.columns && core.columns == a.rows, "A, B and C of different ranks")
        (self.site, self.a, self.b, self.core) = (site, a, b, core)
    }
}

/// The matrices of a low-rank adapter, trained and minus its start, for one task or for all together.
package struct LowRankFamilies: Sendable {
    private let trained: [Decomposed]
    private let start: [LowRankMatrices]?
    private let task: String?

    private struct Decomposed: Sendable {
        let matrices: LowRankMatrices
        let a: SingularValueDecomposition
        let b: SingularValueDecomposition
    }

    /// Decomposes the matrices of all sites; `start` has the same sites, and is nil if the start is not known. `task` is the one to
    /// which they belong.
    package init(
        _ trained: [LowRankMatrices], start: [LowRankMatrices]?, task: String? = nil
    ) throws(Failure) {
        precondition(start.map { $0.map(\.site) == trained.map(\.site) } ?? true, "a start with other sites")
        var decomposed: [Decomposed] = []
        for site in trained {
            decomposed.append(
                Decomposed(
                    matrices: site, a: try SingularValueDecomposition(site.a), b: try SingularValueDecomposition(site.b)
                ))
        }
        (self.trained, self.start, self.task) = (decomposed, start, task)
    }

    /// Whether B of some site was not 0 at the start, so that the start added something to a weight.
    package var startAddsSomething: Bool { start?.contains { $0.b.values.contains { $0 != 0 } } ?? false }

    /// A and B of all sites in a state; none if the start is needed and not known.
    package func factors(_ state: AdapterState) throws(Failure) -> [MatrixFamily] {
        switch state {
        case .trained:
            return [
                family(.a, task, state, trained.map(\.a)), family(.b, task, state, trained.map(\.b)),
            ]
        case .minusStart:
            guard let start else { return [] }
            let pairs = zip(trained.map(\.matrices), start)
            return [
                try MatrixFamily(.a, task: task, state, pairs.map { ($0.site, $0.a.minus($1.a)) }),
                try MatrixFamily(.b, task: task, state, pairs.map { ($0.site, $0.b.minus($1.b)) }),
            ]
        }
    }

    /// What is added to the weight of each site in a state; nil if the start is needed and not known.
    ///
    /// - Parameters:
    ///   - scales: the scale of each low-rank dimension, `[sites][rankA]`, and the task that has them; nil for no scales.
    ///   - startScales: the same at the start; only needed if `startAddsSomething`.
    package func updates(
        _ state: AdapterState, scales: (task: String, values: [[Double]])? = nil, startScales: [[Double]]? = nil
    ) throws(Failure) -> MatrixFamily? {
        let name = scales?.task ?? task
        guard state == .minusStart else { return family(.update, name, state, try products(scales?.values)) }
        guard let start else { return nil }
        guard startAddsSomething else { return family(.update, name, state, try products(scales?.values)) }
        var differences: [SingularValueDecomposition] = []
        for (index, (own, begun)) in zip(trained.map(\.matrices), start).enumerated() {
            // `B M A - B0 M0 A0` is the product of [B, B0], the blocks M and -M0, and [A; A0].
            let ones = Array(repeating: 1.0, count: own.a.rows)
            let core = own.core.scalingColumns(by: scales?.values[index] ?? ones)
            let startCore = begun.core.scalingColumns(by: (startScales?[index] ?? ones).map { -$0 })
            differences.append(
                try SingularValueDecomposition(
                    product: SingularValueDecomposition(own.b.beside(begun.b)), core.diagonally(startCore),
                    SingularValueDecomposition(own.a.above(begun.a))))
        }
        return family(.update, name, state, differences)
    }

    private func products(_ scales: [[Double]]?) throws(Failure) -> [SingularValueDecomposition] {
        var products: [SingularValueDecomposition] = []
        for (index, site) in trained.enumerated() {
            let core = scales.map { site.matrices.core.scalingColumns(by: $0[index]) } ?? site.matrices.core
            products.append(try SingularValueDecomposition(product: site.b, core, site.a))
        }
        return products
    }

    private func family(
        _ matrix: MatrixRole, _ task: String?, _ state: AdapterState, _ parts: [SingularValueDecomposition]
    ) -> MatrixFamily {
        MatrixFamily(
            matrix, task: task, state,
            zip(trained, parts).map { MatrixFamily.Member(site: $0.matrices.site, decomposition: $1) })
    }
}
