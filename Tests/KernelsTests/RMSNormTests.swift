import Kernels
import TestSupport
import Testing

@Suite struct RMSNormTests {
    private static let rows = 3
    private static let epsilon: Float = 1e-3

    private static func norm(_ x: [Double], _ weight: [Double]) -> [Double] {
        let square = x.reduce(0) { $0 + $1 * $1 } / Double(x.count)
        let inverse = 1 / (square + Double(epsilon)).squareRoot()
        return zip(x, weight).map { $0 * inverse * $1 }
    }

    @Test(arguments: laneSizes)
    func `rows are normalised as in double precision, in place too`(d: Int) {
        let (x, weight) = (GuardedMatrix(Self.rows, d, seed: 1), GuardedMatrix(1, d, seed: 2))
        let y = GuardedMatrix(Self.rows, d, seed: 3)
        let inverse = GuardedMatrix(1, Self.rows, seed: 4)
        let expected = (0..<Self.rows).flatMap { Self.norm(x.doubles(row: $0), weight.doubles) }
        rmsNorm(x.readOnly, weight: weight.row, epsilon: Self.epsilon, into: y.view, inverse: inverse.row)
        #expect(largestDifference(y.values, expected) <= 2e-6 && y.gapsAreIntact && inverse.gapsAreIntact)
        let inverses = (0..<Self.rows).map { r in
            let square = x.doubles(row: r).reduce(0) { $0 + $1 * $1 } / Double(d)
            return 1 / (square + Double(Self.epsilon)).squareRoot()
        }
        #expect(largestDifference(inverse.values, inverses) <= 1e-6 * largestMagnitude(inverses))
        let out = y.values
        rmsNorm(x.readOnly, weight: weight.row, epsilon: Self.epsilon, into: x.view, inverse: inverse.row)
        #expect(x.values == out && x.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `the backward adds the finite difference`(d: Int) {
        let (x, weight) = (GuardedMatrix(Self.rows, d, seed: 5), GuardedMatrix(1, d, seed: 6))
        let (dy, dx) = (GuardedMatrix(Self.rows, d, seed: 7), GuardedMatrix(Self.rows, d, seed: 8))
        let (y, inverse) = (GuardedMatrix(Self.rows, d, seed: 9), GuardedMatrix(1, Self.rows, seed: 9))
        let expected = (0..<Self.rows).flatMap { r in
            let gradient = numericalGradient(at: x.doubles(row: r)) { moved in
                zip(Self.norm(moved, weight.doubles), dy.doubles(row: r)).reduce(0) { $0 + $1.0 * $1.1 }
            }
            return zip(dx.doubles(row: r), gradient).map { $0 + $1 }
        }
        rmsNorm(x.readOnly, weight: weight.row, epsilon: Self.epsilon, into: y.view, inverse: inverse.row)
        rmsNormBackward(dy.readOnly, x: x.readOnly, weight: weight.row, inverse: inverse.row, addingTo: dx.view)
        #expect(largestDifference(dx.values, expected) <= 3e-6 * max(1, largestMagnitude(expected)) && dx.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `a NaN makes its own row NaN and no other`(d: Int) {
        let weight = GuardedMatrix(1, d) { _, _ in 1 }
        for place in 0..<d {
            let x = GuardedMatrix(2, d) { r, c in r == 1 && c == place ? .nan : 1 }
            let (y, inverse) = (GuardedMatrix(2, d, seed: 1), GuardedMatrix(1, 2, seed: 1))
            rmsNorm(x.readOnly, weight: weight.row, epsilon: Self.epsilon, into: y.view, inverse: inverse.row)
            #expect(y.values.map(\.isNaN) == (0..<2 * d).map { $0 >= d })
            let (dy, dx) = (GuardedMatrix(2, d) { _, _ in 1 }, GuardedMatrix(2, d) { _, _ in 0 })
            rmsNormBackward(dy.readOnly, x: x.readOnly, weight: weight.row, inverse: inverse.row, addingTo: dx.view)
            #expect(dx.values.map(\.isNaN) == (0..<2 * d).map { $0 >= d })
        }
    }

    @Test func `a row of zeros stays zero`() {
        let (x, weight) = (GuardedMatrix(1, 17) { _, _ in 0 }, GuardedMatrix(1, 17) { _, _ in 1 })
        let (y, inverse) = (GuardedMatrix(1, 17, seed: 1), GuardedMatrix(1, 1, seed: 1))
        rmsNorm(x.readOnly, weight: weight.row, epsilon: 1e-6, into: y.view, inverse: inverse.row)
        #expect(y.values.allSatisfy { $0 == 0 })
    }
}
