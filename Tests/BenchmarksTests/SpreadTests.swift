import Testing

@testable import Benchmarks

@Suite struct SpreadTests {
    @Test(arguments: [
        ([3.0], [3.0, 3, 3]), ([2, 1], [1, 1.5, 2]), ([5, 1, 4], [1, 4, 5]), ([4, 1, 2, 9], [1, 3, 9]),
    ]) func `the median is the middle one or between the two in the middle`(values: [Double], expected: [Double]) {
        let spread = Spread(values)
        #expect([spread.minimum, spread.median, spread.maximum] == expected)
    }

    @Test func `what is chosen of many is spread evenly over all, and all when there are few`() {
        #expect(evenlySpread(3, over: 9) == [0, 3, 6])
        #expect(evenlySpread(4, over: 10) == [0, 2, 5, 7])
        #expect(evenlySpread(5, over: 3) == [0, 1, 2])
    }
}
