import Failures
import TestSupport
import Testing

@testable import Benchmarks

@Suite struct TokenLengthsTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    @Test func `pairs are read in their order`() throws {
        let lengths = try TokenLengths(path: directory.write("lengths.json", "[[7, 2], [30, 40], [5, 1]]"))
        #expect(lengths.pairs.map(\.source) == [7, 30, 5] && lengths.pairs.map(\.target) == [2, 40, 1])
        #expect(lengths.longest == 40)
        #expect(lengths.spread(over: 2).pairs.map(\.source) == [7, 30])
    }

    @Test(arguments: ["", "{}", "[]", "[[1]]", "[[1, 2, 3]]", "[[0, 2]]", "[[1, 100001]]", "[[1.5, 2]]"])
    func `anything else is bad data`(text: String) throws {
        let path = try directory.write("lengths.json", text)
        let failure = #expect(throws: Failure.self) { try TokenLengths(path: path) }
        #expect(failure?.code == .badData && failure?.message.contains(path) == true)
    }

    @Test func `an absent file is named`() throws {
        let failure = #expect(throws: Failure.self) { try TokenLengths(path: directory.file("nowhere")) }
        #expect(failure?.code == .inputMissing && failure?.message.contains("nowhere") == true)
    }

    @Test func `rows are those of the smallest, median and largest micro-batch`() {
        // Micro-batches of two: 30 + 3, 12 + 5, 3 + 2, 40 + 9; the last example alone is not a whole one.
        let pairs = [(20, 1), (10, 2), (5, 2), (7, 3), (1, 1), (2, 1), (30, 4), (10, 5), (99, 99)]
        let (rows, length) = KernelsBenchmark.cases(TokenLengths(pairs.map { (source: $0.0, target: $0.1) }), micro: 2)
        #expect(rows.map(\.source) == [3, 30, 40] && rows.map(\.target) == [2, 3, 9])
        #expect(length == 184 / 9)
        let few = KernelsBenchmark.cases(TokenLengths([(source: 4, target: 2)]), micro: 8)
        #expect(few.0.map(\.source) == [4] && few.length == 4)
    }
}
