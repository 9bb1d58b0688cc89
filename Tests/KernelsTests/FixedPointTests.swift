import Foundation
import Kernels
import Randomness
import Testing

@Suite struct FixedPointTests {
    /// Adds the lists in order and returns the sums.
    private func sums(_ lists: [[Float]], limit: Float = FixedPoint.limit(parts: 64)) -> [Int64] {
        var sums = [Int64](repeating: 0, count: lists[0].count)
        for list in lists {
            #expect(FixedPoint.add(list, to: &sums, count: list.count, limit: limit))
        }
        return sums
    }

    private func gradients(_ parts: Int, _ count: Int) -> [[Float]] {
        var stream = RandomStream(seed: 1, purpose: .test)
        return (0..<parts).map { _ in
            (0..<count).map { _ in Float(stream.normal() * pow(10, 6 * stream.uniform() - 5)) }
        }
    }

    @Test func `a sum has the same bits in every order and every split`() {
        let parts = gradients(64, 1000)
        let expected = sums(parts)
        var stream = RandomStream(seed: 2, purpose: .test)
        for _ in 0..<5 {
            #expect(sums(stream.permutation(64).map { parts[Int($0)] }) == expected)
        }
        for cut in [1, 7, 32, 63] {
            let (left, right) = (sums(Array(parts[..<cut])), sums(Array(parts[cut...])))
            #expect(zip(left, right).map { $0 + $1 } == expected)
        }
        // Float addition of the same numbers does depend on the order, so the test can fail.
        func floats(_ order: [[Float]]) -> [Float] {
            order.reduce([Float](repeating: 0, count: 1000)) { zip($0, $1).map { $0 + $1 } }
        }
        #expect(floats(parts) != floats(parts.reversed()))
    }

    @Test func `a sum is exact to half a quantum per part`() {
        let parts = gradients(64, 1000)
        for (index, sum) in sums(parts).enumerated() {
            let exact = parts.reduce(0.0) { $0 + Double($1[index]) }
            #expect(abs(FixedPoint.value(sum) - exact) <= 64 * 0.5 * FixedPoint.quantum + 1e-12 * abs(exact))
        }
    }

    @Test func `quanta round to the nearest, ties to even, and come back`() {
        let q = FixedPoint.quantum
        #expect(q == 0x1p-40 && FixedPoint.fractionBits == 40)
        #expect(FixedPoint.quanta(1) == 1 << 40)
        #expect(FixedPoint.quanta(-1) == -(1 << 40))
        #expect([0.5, 1.5, 2.5, -0.5, -1.5, 0.51, -0.51].map { FixedPoint.quanta($0 * q) } == [0, 2, 2, 0, -2, 1, -1])
        #expect(FixedPoint.value(FixedPoint.quanta(-0.375)) == -0.375)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 1000, 1 << 20])
    func `the limit's worth of parts does not overflow`(parts: Int) {
        let limit = FixedPoint.limit(parts: parts)
        let (total, overflow) = FixedPoint.quanta(Double(limit)).multipliedReportingOverflow(by: Int64(parts))
        #expect(!overflow && total <= 1 << 62 + 1 << 40)
        #expect(abs(Double(limit) * Double(parts) / 0x1p22 - 1) <= 1e-7)
    }

    @Test func `more than the limit, an infinity or a NaN is reported at every place`() {
        let limit = FixedPoint.limit(parts: 8)
        for count in laneSizes {
            for place in 0..<count {
                for broken: Float in [limit.nextUp, -limit.nextUp, .infinity, -.infinity, .nan] {
                    let values = (0..<count).map { $0 == place ? broken : Float($0) }
                    var sums = [Int64](repeating: 0, count: count)
                    #expect(!FixedPoint.add(values, to: &sums, count: count, limit: limit))
                }
            }
        }
        var sums: [Int64] = [0, 0]
        #expect(FixedPoint.add([limit, -limit], to: &sums, count: 2, limit: limit))
        #expect(sums == [1 << 59, -(1 << 59)])
    }
}
