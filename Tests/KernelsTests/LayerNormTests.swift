import Kernels
import Tensors
import TestSupport
import Testing

@Suite struct LayerNormTests {
    private static let rows = 3
    private static let epsilon: Float = 1e-3
    /// Widths around the sixteen lanes, and a row of one element, whose norm is 0.
    private static let widths = [1, 5, 16, 17, 33]

    /// The normalised row in double precision, and the reciprocal root.
    private static func normalised(_ x: [Double]) -> (values: [Double], inverse: Double) {
        let mean = x.reduce(0, +) / Double(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count)
        let inverse = 1 / (variance + Double(epsilon)).squareRoot()
        return (x.map { ($0 - mean) * inverse }, inverse)
    }

    /// A row's results and gradients by the kernels.
    private struct Bits: Equatable {
        var normalised: [UInt32]
        var result: [UInt32]
        var gradient: [UInt32]
    }

    /// `dy` is the gradient of the normalised rows.
    private static func bits(_ x: GuardedMatrix, _ dy: GuardedMatrix, row: Int) -> Bits {
        let (rows, d) = (x.view.rows, x.view.columns)
        let (weight, bias) = (GuardedMatrix(1, d, seed: 2), GuardedMatrix(1, d, seed: 3))
        let (xhat, y, dx) = (
            GuardedMatrix(rows, d, seed: 4), GuardedMatrix(rows, d, seed: 5), GuardedMatrix(rows, d, seed: 6)
        )
        let inverse = GuardedMatrix(1, rows, seed: 7)
        layerNorm(
            x.readOnly, weight: weight.row, bias: bias.row, epsilon: epsilon, normalised: xhat.view,
            inverse: inverse.row, into: y.view)
        normaliseBackward(dy.readOnly, normalised: xhat.readOnly, inverse: inverse.row, into: dx.view)
        func bits(_ matrix: GuardedMatrix) -> [UInt32] { matrix.readOnly.rows(row, 1).copied().map(\.bitPattern) }
        return Bits(normalised: bits(xhat), result: bits(y), gradient: bits(dx))
    }

    @Test(arguments: widths)
    func `rows are normalised, scaled and shifted as in double precision`(d: Int) {
        let (x, weight, bias) = (
            GuardedMatrix(Self.rows, d, seed: 1), GuardedMatrix(1, d, seed: 2), GuardedMatrix(1, d, seed: 3)
        )
        let (xhat, y) = (GuardedMatrix(Self.rows, d, seed: 4), GuardedMatrix(Self.rows, d, seed: 5))
        let inverse = GuardedMatrix(1, Self.rows, seed: 6)
        let expected = (0..<Self.rows).map { Self.normalised(x.doubles(row: $0)) }
        let before = x.values
        layerNorm(
            x.readOnly, weight: weight.row, bias: bias.row, epsilon: Self.epsilon, normalised: xhat.view,
            inverse: inverse.row, into: y.view)
        #expect(largestDifference(xhat.values, expected.flatMap(\.values)) <= 3e-6 && xhat.gapsAreIntact)
        let inverses = expected.map(\.inverse)
        #expect(largestDifference(inverse.values, inverses) <= 2e-6 * largestMagnitude(inverses))
        let results = expected.flatMap { row in
            (0..<d).map { row.values[$0] * weight.doubles[$0] + bias.doubles[$0] }
        }
        #expect(largestDifference(y.values, results) <= 1e-5 && y.gapsAreIntact && inverse.gapsAreIntact)
        #expect(x.values == before)
    }

    @Test(arguments: widths)
    func `all operands may be the same memory`(d: Int) {
        let (x, same) = (GuardedMatrix(Self.rows, d, seed: 1), GuardedMatrix(Self.rows, d, seed: 1))
        let (weight, bias) = (GuardedMatrix(1, d, seed: 2), GuardedMatrix(1, d, seed: 3))
        let (xhat, y) = (GuardedMatrix(Self.rows, d, seed: 4), GuardedMatrix(Self.rows, d, seed: 5))
        let (inverse, other) = (GuardedMatrix(1, Self.rows, seed: 6), GuardedMatrix(1, Self.rows, seed: 7))
        layerNorm(
            x.readOnly, weight: weight.row, bias: bias.row, epsilon: Self.epsilon, normalised: xhat.view,
            inverse: inverse.row, into: y.view)
        layerNorm(
            same.readOnly, weight: weight.row, bias: bias.row, epsilon: Self.epsilon, normalised: same.view,
            inverse: other.row, into: same.view)
        #expect(same.values == y.values && other.values == inverse.values && same.gapsAreIntact)
        // Without the second half the normalised rows remain.
        normalise(x.readOnly, epsilon: Self.epsilon, into: x.view, inverse: other.row)
        #expect(x.values == xhat.values && other.values == inverse.values && x.gapsAreIntact)
        // The gradient may be the memory of the one it is computed from.
        let (dy, dx) = (GuardedMatrix(Self.rows, d, seed: 8), GuardedMatrix(Self.rows, d, seed: 9))
        normaliseBackward(dy.readOnly, normalised: xhat.readOnly, inverse: inverse.row, into: dx.view)
        normaliseBackward(dy.readOnly, normalised: xhat.readOnly, inverse: inverse.row, into: dy.view)
        #expect(dy.values == dx.values && dy.gapsAreIntact)
    }

    @Test(arguments: widths)
    func `the backward is the finite difference`(d: Int) {
        let (x, dy) = (GuardedMatrix(Self.rows, d, seed: 10), GuardedMatrix(Self.rows, d, seed: 11))
        let (xhat, dx) = (GuardedMatrix(Self.rows, d, seed: 12), GuardedMatrix(Self.rows, d, seed: 13))
        let inverse = GuardedMatrix(1, Self.rows, seed: 14)
        let expected = (0..<Self.rows).flatMap { r in
            numericalGradient(at: x.doubles(row: r)) { moved in
                zip(Self.normalised(moved).values, dy.doubles(row: r)).reduce(0) { $0 + $1.0 * $1.1 }
            }
        }
        normalise(x.readOnly, epsilon: Self.epsilon, into: xhat.view, inverse: inverse.row)
        normaliseBackward(dy.readOnly, normalised: xhat.readOnly, inverse: inverse.row, into: dx.view)
        #expect(largestDifference(dx.values, expected) <= 5e-6 * max(1, largestMagnitude(expected)) && dx.gapsAreIntact)
        #expect(d == 1 || largestMagnitude(expected) > 0.1)
    }

    @Test(arguments: widths)
    func `a row has the same bits alone and among others`(d: Int) {
        let rows = 5
        let (x, dy) = (GuardedMatrix(rows, d, seed: 15), GuardedMatrix(rows, d, seed: 16))
        for row in 0..<rows {
            let alone = GuardedMatrix(1, d) { _, c in x.view[row, c] }
            let gradient = GuardedMatrix(1, d) { _, c in dy.view[row, c] }
            #expect(Self.bits(x, dy, row: row) == Self.bits(alone, gradient, row: 0), "row \(row)")
        }
    }

    @Test(arguments: widths)
    func `a NaN makes its own row NaN and no other`(d: Int) {
        for place in 0..<d {
            let x = GuardedMatrix(2, d) { r, c in r == 1 && c == place ? .nan : Float(c) }
            let (xhat, inverse) = (GuardedMatrix(2, d, seed: 1), GuardedMatrix(1, 2, seed: 1))
            normalise(x.readOnly, epsilon: Self.epsilon, into: xhat.view, inverse: inverse.row)
            #expect(xhat.values.map(\.isNaN) == (0..<2 * d).map { $0 >= d })
            let (dy, dx) = (GuardedMatrix(2, d) { _, _ in 1 }, GuardedMatrix(2, d) { _, _ in 0 })
            normaliseBackward(dy.readOnly, normalised: xhat.readOnly, inverse: inverse.row, into: dx.view)
            #expect(dx.values.map(\.isNaN) == (0..<2 * d).map { $0 >= d })
        }
    }

    /// The variance is a mean of squared distances: a difference of two means of squares would lose everything here.
    @Test func `a large common part of a row loses no digits but those of the input`() {
        let x = GuardedMatrix(1, 64) { _, c in 10_000 + Float(c % 7) }
        let expected = Self.normalised(x.doubles).values
        let (xhat, inverse) = (GuardedMatrix(1, 64, seed: 1), GuardedMatrix(1, 1, seed: 1))
        normalise(x.readOnly, epsilon: Self.epsilon, into: xhat.view, inverse: inverse.row)
        #expect(largestDifference(xhat.values, expected) <= 1e-3)
    }

    @Test(arguments: widths) func `a constant row becomes the summand`(d: Int) {
        let (x, y) = (GuardedMatrix(1, d) { _, _ in 0.5 }, GuardedMatrix(1, d, seed: 1))
        let (weight, bias) = (GuardedMatrix(1, d, seed: 2), GuardedMatrix(1, d, seed: 3))
        let (xhat, inverse) = (GuardedMatrix(1, d, seed: 4), GuardedMatrix(1, 1, seed: 4))
        layerNorm(
            x.readOnly, weight: weight.row, bias: bias.row, epsilon: 1e-6, normalised: xhat.view, inverse: inverse.row,
            into: y.view)
        #expect(y.values == bias.values && xhat.values.allSatisfy { $0 == 0 })
    }
}
