import Testing

@testable import Training

@Suite struct DiscrepancyTests {
    private static func between(_ a: [Float], _ b: [Float]) -> Discrepancy {
        var discrepancy = Discrepancy()
        discrepancy.add(a, b, count: a.count)
        return discrepancy
    }

    @Test func `error and cosine are those of the definition`() {
        let seen = Self.between([3, 4, 0], [3, 0, 3])
        #expect(abs(seen.relativeError - 1) < 1e-15)
        #expect(abs((seen.cosine ?? 0) - 9 / (5 * 18.0.squareRoot())) < 1e-15)
        let opposite = Self.between([1, 2], [-2, -4])
        #expect(opposite.cosine == -1 && abs(opposite.relativeError - 3) < 1e-15)
    }

    @Test func `equal numbers give exactly no error and a cosine of 1`() {
        let values = (0..<1000).map { Float($0 * $0) * 0.37 - 11.3 }
        let seen = Self.between(values, values)
        #expect(seen.relativeError == 0 && seen.cosine == 1)
    }

    @Test func `zeros are neither right nor wrong, and a zero for something has no direction`() {
        #expect(Self.between([0, 0], [0, 0]).cosine == nil && Self.between([0, 0], [0, 0]).relativeError == 0)
        #expect(Self.between([1, 0], [0, 0]).cosine == 0 && Self.between([1, 0], [0, 0]).relativeError == 1)
        #expect(Self.between([0, 0], [0, 2]).cosine == 0 && Self.between([0, 0], [0, 2]).relativeError == .infinity)
    }

    @Test func `a NaN stays one`() {
        for (a, b) in [(Float.nan, Float(1)), (1, .nan), (0, .nan)] {
            let seen = Self.between([a, 2], [b, 2])
            #expect(seen.relativeError.isNaN && seen.cosine?.isNaN == true)
        }
        #expect(Self.between([0], [.nan]).cosine?.isNaN == true)
    }

    @Test func `sums of parts are sums of the whole`() {
        var sum = Self.between([1, 2], [1, 2.5])
        sum.add(Self.between([3], [2]))
        let whole = Self.between([1, 2, 3], [1, 2.5, 2])
        #expect(sum.relativeError == whole.relativeError && sum.cosine == whole.cosine)
    }
}
