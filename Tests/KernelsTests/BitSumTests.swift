import Kernels
import Testing

@Suite struct BitSumTests {
    private let values = (0..<1001).map { Float($0 % 17) * 0.37 - 2 }

    private func sum(_ values: [Float], _ range: Range<Int>) -> UInt64 {
        values.withUnsafeBufferPointer {
            BitSum.of($0.baseAddress! + range.lowerBound, count: range.count, from: range.lowerBound)
        }
    }

    @Test func `parts give the sum of the whole, which is that of the formula`() {
        let whole = sum(values, 0..<values.count)
        for cut in [0, 1, 7, 500, 1001] {
            #expect(sum(values, 0..<cut) &+ sum(values, cut..<values.count) == whole)
        }
        let written = values.enumerated().reduce(UInt64(0)) {
            $0 &+ UInt64($1.element.bitPattern) &* UInt64(2 * $1.offset + 1)
        }
        #expect(whole == written)
    }

    @Test func `one bit anywhere, and two elements that change places, are seen`() {
        let whole = sum(values, 0..<values.count)
        for (place, bit) in [(0, 0), (500, 31), (1000, 12)] {
            var changed = values
            changed[place] = Float(bitPattern: changed[place].bitPattern ^ (1 << bit))
            #expect(sum(changed, 0..<values.count) != whole)
        }
        var swapped = values
        swapped.swapAt(3, 4)
        #expect(sum(swapped, 0..<values.count) != whole)
        var zero = values
        zero[17] = 0
        var negative = zero
        negative[17] = -0.0
        #expect(sum(zero, 0..<values.count) != sum(negative, 0..<values.count))
    }
}
