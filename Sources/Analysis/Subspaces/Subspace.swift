package import Failures
import Foundation

/// A subspace of the space of a matrix's rows or columns.
package struct Subspace: Sendable {
    /// An orthonormal basis: its rows, `[dimension, width]`.
    let basis: DenseMatrix

    package var dimension: Int { basis.rows }
    package var width: Int { basis.columns }

    /// The space of the rows of a decomposed matrix.
    package init(rowsOf matrix: SingularValueDecomposition) { basis = matrix.right.firstRows(matrix.rank) }

    /// The space of its columns.
    package init(columnsOf matrix: SingularValueDecomposition) {
        basis = matrix.left.transposed.firstRows(matrix.rank)
    }
}

/// How much two subspaces have in common.
package struct SubspaceOverlap: Codable, Sendable, Equatable {
    /// The dimensions of both.
    package let dimensions: [Int]
    /// `||U1^T U2||_F^2 / min(dimensions)` of orthonormal bases: 1 if one contains the other, 0 if they are orthogonal; nil if one
    /// of them has dimension 0.
    package let overlap: Double?
    /// What two random subspaces of these dimensions have on average: `max(dimensions) / width`.
    package let chance: Double
    /// The principal angles in radians, from 0 to pi/2, in ascending order.
    package let angles: [Double]

    /// Compares two subspaces of one space.
    package init(_ first: Subspace, _ second: Subspace) throws(Failure) {
        precondition(first.width == second.width, "subspaces of different spaces")
        dimensions = [first.dimension, second.dimension]
        let smaller = min(first.dimension, second.dimension)
        chance = Double(max(first.dimension, second.dimension)) / Double(max(first.width, 1))
        guard smaller > 0 else {
            (overlap, angles) = (nil, [])
            return
        }
        let (large, small) =
            first.dimension >= second.dimension ? (first.basis, second.basis) : (second.basis, first.basis)
        let cosines = small.timesTransposed(large)
        overlap = min(cosines.values.reduce(0) { $0 + $1 * $1 } / Double(smaller), 1)
        // The cosine says little about a small angle, and the sine little about a large one (Björck and Golub, 1973).
        let remainder = small.minus(cosines.times(large))
        let cosineValues = try SingularValueDecomposition.values(of: cosines)
        let sineValues: [Double] = try SingularValueDecomposition.values(of: remainder).prefix(smaller).reversed()
        angles = (0..<smaller).map { i in
            let (cosine, sine) = (cosineValues[i], sineValues[i])
            return cosine * cosine >= 0.5 ? asin(min(sine, 1)) : acos(min(cosine, 1))
        }
    }
}
