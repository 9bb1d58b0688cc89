import Testing

@testable import Runs

@Suite struct HistogramTests {
    private func made(_ lists: [[Float]], stride: Int = 1) -> Histogram? {
        // The lists must stay where they are, so they are parts of one array.
        let all = lists.flatMap(\.self)
        return all.withUnsafeBufferPointer { elements in
            var parts: [UnsafeBufferPointer<Float>] = []
            var start = 0
            for list in lists {
                parts.append(UnsafeBufferPointer(rebasing: elements[start..<start + list.count]))
                start += list.count
            }
            return Histogram(parts, stride: stride)
        }
    }

    @Test func `buckets of equal width hold all numbers once`() throws {
        let histogram = try #require(made([[0, 64, 1, 0.5], [], [63.5, 32]]))
        #expect((histogram.least, histogram.most, histogram.count) == (0, 64, 6))
        #expect((histogram.sum, histogram.squares) == (161, 4096 + 1 + 0.25 + 4032.25 + 1024))
        #expect(histogram.limits == (1...64).map(Double.init))
        let filled = histogram.counts.enumerated().filter { $0.element > 0 }
        #expect(filled.map(\.offset) == [0, 1, 32, 63] && filled.map(\.element) == [2, 1, 1, 2])
    }

    @Test func `numbers that are not finite do not count`() throws {
        let histogram = try #require(made([[.nan, 2, -.infinity], [.infinity, -2]]))
        #expect((histogram.least, histogram.most, histogram.count) == (-2, 2, 2))
    }

    @Test func `equal numbers have one bucket`() {
        #expect(made([[3, 3, 3]])?.limits == [3])
        #expect(made([[3, 3, 3]])?.counts == [3])
    }

    @Test func `the widest range does not overflow`() throws {
        let most = Float.greatestFiniteMagnitude
        let histogram = try #require(made([[-most, most, 0]]))
        #expect(histogram.counts.reduce(0, +) == 3 && histogram.limits.allSatisfy(\.isFinite))
    }

    @Test(arguments: [[], [[]], [[.nan]]] as [[[Float]]])
    func `without a number there is none`(lists: [[Float]]) {
        #expect(made(lists) == nil)
    }

    @Test(arguments: 1...12) func `a stride goes on from list to list`(stride: Int) {
        let numbers = (0..<50).map { Float($0 * $0 % 37) }
        let chosen = Swift.stride(from: 0, to: 50, by: stride).map { numbers[$0] }
        let lists = [Array(numbers[..<3]), [], Array(numbers[3..<20]), Array(numbers[20...])]
        #expect(made(lists, stride: stride) == made([chosen]))
    }
}
