import Foundation
import Kernels
import TestSupport
import Testing

@Suite struct ExponentialTests {
    private func exponentials(_ values: [Float]) -> [Float] {
        let x = GuardedMatrix(1, values.count) { _, c in values[c] }
        let y = GuardedMatrix(1, values.count) { _, _ in -1 }
        exponential(x.row, into: y.row, values.count)
        #expect(y.gapsAreIntact)
        return y.values
    }

    /// The bound is two units in the last place, 2^-22.
    @Test func `the relative error is below 2.4e-7 over the whole range`() {
        let values = (0...400_000).map { Float(-87.3 + 175.6 * Double($0) / 400_000) }
        let worst = zip(values, exponentials(values)).reduce(0.0) { worst, pair in
            guard pair.0 >= -87.3, pair.0 <= 88.3 else { return worst }
            let exact = exp(Double(pair.0))
            return larger(worst, abs(Double(pair.1) - exact) / exact)
        }
        #expect(worst <= 2.4e-7)
        #expect(worst > 1e-9)
    }

    @Test(arguments: laneSizes)
    func `every size gives the same bits as single elements, in place too`(count: Int) {
        let x = GuardedMatrix(1, count, seed: 5, deviation: 10)
        let single = x.values.map { exponentials([$0])[0] }
        #expect(exponentials(x.values) == single)
        exponential(x.row, into: x.row, count)
        #expect(x.values == single && x.gapsAreIntact)
    }

    @Test func `the ends of the range are 0, 1 and a large number`() {
        #expect(exponentials([0, -0.0, -.infinity, -1000, -87.4]) == [1, 1, 0, 0, 0])
        let large = exponentials([88.3, 88.4, 1000, .infinity])
        #expect(large.allSatisfy { $0 == large[0] && $0.isFinite && $0 > 2e38 })
        #expect(exponentials([-87.3])[0] > 0)
    }

    @Test(arguments: laneSizes)
    func `a NaN stays a NaN at every place`(count: Int) {
        for place in 0..<count {
            let result = exponentials((0..<count).map { $0 == place ? .nan : 0 })
            #expect(result.enumerated().allSatisfy { $0.offset == place ? $0.element.isNaN : $0.element == 1 })
        }
    }

    @Test func `the function never falls from one float to the next`() {
        for start: Float in [-80, -1, -0.01, 0.3465, 0.6931, 5, 80] {
            var values = [start]
            for _ in 0..<5000 { values.append(values[values.count - 1].nextUp) }
            let results = exponentials(values)
            // The polynomial may decrease by one unit in the last place.
            #expect(zip(results, results.dropFirst()).allSatisfy { $1 >= $0.nextDown })
        }
    }
}
