import Tensors
import TestSupport
import Testing

@testable import Kernels

@Suite struct QuantisationTests {
    @Test(arguments: laneSizes)
    func `a row is rounded to the nearest of 255 steps and given back`(count: Int) {
        let x = GuardedMatrix(1, count, seed: 5, deviation: 3)
        var q = [Int8](repeating: 99, count: count + 1)
        let factor = quantiseRow(x.row, into: &q, count)
        let largest = Float(largestMagnitude(x.values))
        #expect(factor == largest / 127)
        #expect(q[..<count].contains { abs(Int($0)) == 127 })
        for i in 0..<count {
            // Half a step, plus the rounding of the scale itself.
            #expect(abs(Float(q[i]) * factor - x.values[i]) <= 0.5001 * factor)
        }
        #expect(q[count] == 99)
        var wide = [Int16](repeating: 99, count: count + 1)
        #expect(quantiseRow(x.row, into: &wide, count) == factor)
        #expect(wide == q.map(Int16.init))
    }

    @Test func `a row of zeros stays zeros`() {
        var q = [Int8](repeating: 99, count: 20)
        #expect(quantiseRow([Float](repeating: 0, count: 20), into: &q, 20) == 0)
        #expect(q == [Int8](repeating: 0, count: 20))
    }

    /// If it were rounded to a number, it would be lost, and `train.onNonFinite` would not see it.
    @Test(arguments: laneSizes, [Float.nan, .infinity, -.infinity])
    func `a row that is not finite gives NaN, wherever that is`(count: Int, number: Float) {
        for place in [0, count / 2, count - 1] {
            var x = [Float](repeating: 1, count: count)
            x[place] = number
            var q = [Int8](repeating: 99, count: count)
            #expect(quantiseRow(x, into: &q, count).isNaN && q.allSatisfy { $0 == 0 })
        }
    }

    @Test(arguments: laneSizes)
    func `sums get the factors of their row and column`(count: Int) {
        let y = GuardedMatrix(1, count) { _, c in Float(bitPattern: UInt32(bitPattern: Int32(c * 1000 - 7))) }
        let factors = (0..<count).map { 0.5 + Float($0) }
        dequantiseRow(y.row, rowFactor: 0.25, columnFactors: factors, count)
        for i in 0..<count {
            let sum = Float(i * 1000 - 7)
            #expect(y.values[i] == sum * (factors[i] * 0.25))
        }
        #expect(y.gapsAreIntact)
    }
}
