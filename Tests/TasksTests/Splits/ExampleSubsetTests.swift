import Tasks
import Testing

@Suite struct ExampleSubsetTests {
    private func positions(_ task: String = "rte", count: Int = 1000, limit: Int?, seed: UInt64 = 1) -> [Int] {
        ExampleSubset.positions(task: task, count: count, limit: limit, seed: seed)
    }

    @Test func `a limit that leaves nothing out changes nothing`() {
        for limit in [nil, 10, 11] { #expect(positions(count: 10, limit: limit) == Array(0..<10)) }
    }

    /// The first half of the file has one label and the second half the other.
    @Test func `a subset is spread over the file, in its order, each example once`() {
        let chosen = positions(limit: 100)
        #expect(chosen.count == 100 && chosen == Set(chosen).sorted() && chosen.allSatisfy((0..<1000).contains))
        #expect((30...70).contains(chosen.count { $0 < 500 }))
    }

    @Test func `a subset depends on the seed and the task's name alone`() {
        #expect(positions(limit: 100) == positions(limit: 100))
        #expect(positions(limit: 100) != positions(limit: 100, seed: 2))
        #expect(positions(limit: 100) != positions("cola", limit: 100))
    }
}
