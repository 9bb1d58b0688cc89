package import Failures

/// A weight of the backbone that was trained itself.
package struct TrainedWeight: Sendable {
    package let site: SiteLabel
    package let trained: DenseMatrix
    /// Nil if the model as it was before the training is not there any more.
    package let start: DenseMatrix?

    package init(site: SiteLabel, trained: DenseMatrix, start: DenseMatrix?) {
        (self.site, self.trained, self.start) = (site, trained, start)
    }
}

extension AdapterMeasures {
    /// Singular values are computed of matrices whose longer side times the square of the shorter one is at most this; it
    /// includes all projections of t5-base, but not its embedding.
    package static let largestSpectrum = 2_000_000_000.0

    /// Adds the measures of weights of one kind: the norms of all, and of their changes the singular values and the correlations.
    package mutating func add(_ weights: [TrainedWeight]) throws(Failure) {
        for weight in weights {
            matrices.append(analysis(weight.site, .trained, weight.trained, nil))
        }
        let changes = weights.compactMap { weight in
            weight.start.map { (site: weight.site, change: weight.trained.minus($0)) }
        }
        var shapes: [[Int]] = []
        for (site, change) in changes {
            let (long, short) = (max(change.rows, change.columns), min(change.rows, change.columns))
            let isAffordable = short > 1 && Double(long) * Double(short) * Double(short) <= Self.largestSpectrum
            let values = isAffordable ? try SingularValueDecomposition.values(of: change) : nil
            matrices.append(analysis(site, .minusStart, change, values.map(Spectrum.init)))
            if isAffordable, !shapes.contains(change.shape) { shapes.append(change.shape) }
        }
        for shape in shapes {
            let own = changes.filter { $0.change.shape == shape }
            addCorrelations(GramMatrix(own.map(\.change)), own.map(\.site), .weight, nil, .minusStart, shape)
        }
    }

    private func analysis(
        _ site: SiteLabel, _ state: AdapterState, _ matrix: DenseMatrix, _ spectrum: Spectrum?
    ) -> MatrixAnalysis {
        MatrixAnalysis(
            site: site, matrix: .weight, task: nil, state: state, shape: matrix.shape,
            frobeniusNorm: matrix.inner(matrix).squareRoot(), spectrum: spectrum)
    }
}
