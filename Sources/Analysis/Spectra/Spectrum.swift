import Foundation

/// The singular values of a matrix and what follows from them.
package struct Spectrum: Codable, Sendable, Equatable {
    /// In descending order; those that are 0 by the matrix's construction may be left out.
    package let singularValues: [Double]
    /// The sum of the singular values divided by the largest one; 0 for a zero matrix.
    package let effectiveRankSum: Double
    /// `exp(-sum p ln p)` with `p = s / sum(s)`: the exponential of the entropy of the singular values; 0 for a zero matrix.
    package let effectiveRankEntropy: Double
    /// The largest singular value.
    package let spectralNorm: Double

    /// The measures of singular values in descending order.
    package init(singularValues: [Double]) {
        self.singularValues = singularValues
        let (largest, sum) = (singularValues.first ?? 0, singularValues.reduce(0, +))
        spectralNorm = largest
        guard largest > 0 else {
            (effectiveRankSum, effectiveRankEntropy) = (0, 0)
            return
        }
        effectiveRankSum = sum / largest
        let entropy = singularValues.reduce(0) { entropy, value in
            let p = value / sum
            return p > 0 ? entropy - p * log(p) : entropy
        }
        effectiveRankEntropy = exp(entropy)
    }
}
