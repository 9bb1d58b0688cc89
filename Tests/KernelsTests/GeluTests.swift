import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

@Suite struct GeluTests {
    /// Widths around the sixteen lanes.
    private static let widths = [1, 5, 16, 17, 33]

    /// gelu_new in double precision.
    private static func reference(_ x: Double) -> Double {
        0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }

    @Test(arguments: widths)
    func `gelu is that of double precision, in place too`(columns: Int) {
        let (x, y) = (GuardedMatrix(3, columns, seed: 1, deviation: 2), GuardedMatrix(3, columns, seed: 2))
        let (expected, before) = (x.doubles.map(Self.reference), x.values)
        gelu(x.readOnly, into: y.view)
        #expect(largestDifference(y.values, expected) <= 2e-6 && y.gapsAreIntact && x.values == before)
        gelu(x.readOnly, into: x.view)
        #expect(x.values == y.values && x.gapsAreIntact)
    }

    @Test(arguments: widths)
    func `its backward is the finite difference, in place too`(columns: Int) {
        let (x, dy) = (GuardedMatrix(3, columns, seed: 3, deviation: 2), GuardedMatrix(3, columns, seed: 4))
        let dx = GuardedMatrix(3, columns, seed: 5)
        let weights = dy.doubles
        let expected = numericalGradient(at: x.doubles) { moved in
            zip(moved, weights).reduce(0) { $0 + Self.reference($1.0) * $1.1 }
        }
        geluBackward(dy.readOnly, x.readOnly, into: dx.view)
        #expect(largestDifference(dx.values, expected) <= 2e-6 * max(1, largestMagnitude(expected)) && dx.gapsAreIntact)
        #expect(dy.doubles == weights)
        geluBackward(dy.readOnly, x.readOnly, into: dy.view)
        #expect(dy.values == dx.values && dy.gapsAreIntact)
    }

    @Test(arguments: widths)
    func `an element has the same bits wherever it stands`(columns: Int) {
        let (x, dy) = (GuardedMatrix(3, columns, seed: 6, deviation: 2), GuardedMatrix(3, columns, seed: 7))
        let (y, dx) = (GuardedMatrix(3, columns, seed: 8), GuardedMatrix(3, columns, seed: 9))
        gelu(x.readOnly, into: y.view)
        geluBackward(dy.readOnly, x.readOnly, into: dx.view)
        for r in 0..<3 {
            for c in 0..<columns {
                let (one, gradient) = (
                    GuardedMatrix(1, 1) { _, _ in x.view[r, c] }, GuardedMatrix(1, 1) { _, _ in dy.view[r, c] }
                )
                geluBackward(gradient.readOnly, one.readOnly, into: gradient.view)
                gelu(one.readOnly, into: one.view)
                #expect(one.values[0].bitPattern == y.view[r, c].bitPattern)
                #expect(gradient.values[0].bitPattern == dx.view[r, c].bitPattern)
            }
        }
    }

    @Test(arguments: widths)
    func `a NaN stays where it is`(columns: Int) {
        for place in 0..<columns {
            let x = GuardedMatrix(1, columns) { _, c in c == place ? .nan : 1 }
            let dy = GuardedMatrix(1, columns) { _, _ in 1 }
            geluBackward(dy.readOnly, x.readOnly, into: dy.view)
            gelu(x.readOnly, into: x.view)
            #expect(dy.values.map(\.isNaN) == (0..<columns).map { $0 == place })
            #expect(x.values.map(\.isNaN) == (0..<columns).map { $0 == place })
        }
    }

    @Test func `large arguments stay and very negative ones become 0`() {
        let (x, dy) = (GuardedMatrix(1, 4) { _, c in [1e4, -1e4, 0, 100][c] }, GuardedMatrix(1, 4) { _, _ in 1 })
        geluBackward(dy.readOnly, x.readOnly, into: dy.view)
        gelu(x.readOnly, into: x.view)
        #expect(x.values == [1e4, 0, 0, 100] && dy.values == [1, 0, 0.5, 1])
    }
}
