import Foundation
import Kernels
import TestSupport
import Testing

@Suite struct ActivationTests {
    /// gelu_new in double precision.
    private static func gelu(_ x: Double) -> Double {
        0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    }

    @Test(arguments: laneSizes)
    func `relu keeps what is positive`(columns: Int) {
        let x = GuardedMatrix(3, columns, seed: 1)
        let expected = x.values.map { max($0, 0) }
        relu(x.view)
        #expect(x.values == expected && x.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `relu and its backward let a NaN through`(columns: Int) {
        for place in 0..<columns {
            let x = GuardedMatrix(1, columns) { _, c in c == place ? .nan : 1 }
            relu(x.view)
            #expect(x.values.map(\.isNaN) == (0..<columns).map { $0 == place })
            let dy = GuardedMatrix(1, columns) { _, c in c == place ? .nan : 1 }
            let ones = GuardedMatrix(1, columns) { _, _ in 1 }
            reluBackward(dy.view, result: ones.readOnly, scale: 1)
            #expect(dy.values.map(\.isNaN) == (0..<columns).map { $0 == place })
        }
    }

    @Test(arguments: laneSizes)
    func `relu's backward is its finite difference, scaled where the result is not 0`(columns: Int) {
        let x = GuardedMatrix(2, columns, seed: 2)
        let dy = GuardedMatrix(2, columns, seed: 3)
        let (dyBefore, point) = (dy.doubles, x.doubles)
        let expected = numericalGradient(at: point) { moved in
            zip(moved, dyBefore).reduce(0) { $0 + 1.25 * max($1.0, 0) * $1.1 }
        }
        relu(x.view)
        reluBackward(dy.view, result: x.readOnly, scale: 1.25)
        #expect(largestDifference(dy.values, expected) <= 1e-6 && dy.gapsAreIntact)
    }

    @Test func `an element that dropout made 0 gets no gradient`() {
        let result = GuardedMatrix(1, 17) { _, c in c % 3 == 0 ? 0 : 2 }
        let dy = GuardedMatrix(1, 17) { _, _ in 1 }
        reluBackward(dy.view, result: result.readOnly, scale: 2)
        #expect(dy.values == (0..<17).map { $0 % 3 == 0 ? 0 : 2 })
    }

    /// `tanh + 1` loses everything below an ulp of 1 when x is very negative, so the error is absolute: 2e-7 times |x|.
    @Test func `gelu is exact to 2e-7 of its argument`() {
        let count = 40_001
        let u = GuardedMatrix(1, count) { _, c in -20 + Float(c) * 1e-3 }
        let (ones, y) = (GuardedMatrix(1, count) { _, _ in 1 }, GuardedMatrix(1, count) { _, _ in 0 })
        gatedGelu(u.readOnly, ones.readOnly, into: y.view)
        let worst = zip(u.values, y.values).reduce(0.0) { worst, pair in
            larger(worst, abs(Double(pair.1) - Self.gelu(Double(pair.0))) / max(1, abs(Double(pair.0))))
        }
        #expect(worst <= 2e-7)
        #expect(worst > 1e-9)
    }

    @Test func `gelu keeps large arguments, drops very negative ones and keeps a NaN`() {
        let u = GuardedMatrix(1, 5) { _, c in [1e4, -1e4, 0, 100, .nan][c] }
        let (ones, y) = (GuardedMatrix(1, 5) { _, _ in 1 }, GuardedMatrix(1, 5) { _, _ in 9 })
        gatedGelu(u.readOnly, ones.readOnly, into: y.view)
        #expect(Array(y.values[0..<4]) == [1e4, 0, 0, 100])
        #expect(y.values[4].isNaN)
        let dy = GuardedMatrix(1, 5) { _, _ in 1 }
        gatedGeluBackward(dy.readOnly, u.view, ones.view)
        #expect(Array(u.values[0..<4]) == [1, 0, 0.5, 1])
        #expect(u.values[4].isNaN && ones.values[4].isNaN)
    }

    @Test(arguments: laneSizes)
    func `the gated gelu is that of double precision, into an operand too`(columns: Int) {
        let (u, g, y) = (
            GuardedMatrix(2, columns, seed: 4, deviation: 2), GuardedMatrix(2, columns, seed: 5),
            GuardedMatrix(2, columns, seed: 6)
        )
        let expected = zip(u.doubles, g.doubles).map { Self.gelu($0) * $1 }
        gatedGelu(u.readOnly, g.readOnly, into: y.view)
        #expect(largestDifference(y.values, expected) <= 2e-6 && y.gapsAreIntact)
        let out = y.values
        gatedGelu(u.readOnly, g.readOnly, into: u.view)
        #expect(u.values == out && u.gapsAreIntact)
    }

    @Test(arguments: laneSizes)
    func `the gated gelu's backward is its finite difference`(columns: Int) {
        let (u, g, dy) = (
            GuardedMatrix(2, columns, seed: 7, deviation: 2), GuardedMatrix(2, columns, seed: 8),
            GuardedMatrix(2, columns, seed: 9)
        )
        let (pointU, pointG, weights) = (u.doubles, g.doubles, dy.doubles)
        func output(_ u: [Double], _ g: [Double]) -> Double {
            u.indices.reduce(0) { $0 + weights[$1] * Self.gelu(u[$1]) * g[$1] }
        }
        let du = numericalGradient(at: pointU) { output($0, pointG) }
        let dg = numericalGradient(at: pointG) { output(pointU, $0) }
        gatedGeluBackward(dy.readOnly, u.view, g.view)
        #expect(largestDifference(u.values, du) <= 2e-6 * max(1, largestMagnitude(du)) && u.gapsAreIntact)
        #expect(largestDifference(g.values, dg) <= 2e-6 * max(1, largestMagnitude(dg)) && g.gapsAreIntact)
        #expect(dy.doubles == weights)
    }
}
