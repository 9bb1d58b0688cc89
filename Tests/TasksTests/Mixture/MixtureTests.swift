import Failures
import Foundation
import Tasks
import Testing

@Suite struct MixtureTests {
    private func shares(_ sizes: [Int], temperature: Double, cap: Int? = nil) throws -> [Double] {
        try Mixture(tasks: sizes.map { ("t\($0)", $0) }, temperature: temperature, cap: cap).entries.map(\.share)
    }

    @Test func `temperature 1 is proportional and infinity is uniform`() throws {
        #expect(try shares([100, 300, 600], temperature: 1).map { ($0 * 1e12).rounded() / 1e12 } == [0.1, 0.3, 0.6])
        #expect(try shares([7, 300, 60_000], temperature: .infinity) == [Double](repeating: 1.0 / 3, count: 3))
    }

    @Test func `the shares are sizes to the power of one over the temperature`() throws {
        // numpy: w = np.array([2490, 67349, 392702]) ** 0.1; w / w.sum()
        let expected = [0.24694980809429223, 0.3434170659842365, 0.40963312592147133]
        let actual = try shares([2_490, 67_349, 392_702], temperature: 10)
        for (a, e) in zip(actual, expected) { #expect(abs(a - e) < 1e-14) }
        #expect(abs(actual.reduce(0, +) - 1) < 1e-15)
    }

    @Test func `the cap acts before the exponent and leaves the examples as they are`() throws {
        #expect(try shares([100, 50_000, 400], temperature: 2, cap: 400) == shares([100, 400, 400], temperature: 2))
        let mixture = try Mixture(tasks: [("a", 100), ("b", 50_000)], temperature: 2, cap: 400)
        #expect(mixture.entries.map(\.examples) == [100, 50_000])
    }

    @Test func `a temperature near 0 gives all to the largest task`() throws {
        #expect(try shares([10, 1_000], temperature: 1e-6) == [0, 1])
    }

    @Test func `expected passes are the expected draws over the examples`() throws {
        let entries = try Mixture(tasks: [("a", 100), ("b", 300)], temperature: 1).entries
        #expect(entries[0].expectedPasses(steps: 200, batch: 16) == 8)
        #expect(entries[1].expectedPasses(steps: 200, batch: 16) == 8)
    }

    @Test func `impossible mixtures are refused in one sentence`() {
        #expect(throws: Failure(.badConfiguration, "the mixture has no task; name at least one task")) {
            try Mixture(tasks: [])
        }
        #expect(
            throws: Failure(
                .badData, "task \"b\" has no training examples; give it some, or leave it out of the mixture")
        ) { try Mixture(tasks: [("a", 3), ("b", 0)]) }
        for temperature in [0, -1, Double.nan] {
            #expect {
                try Mixture(tasks: [("a", 3)], temperature: temperature)
            } throws: {
                ($0 as? Failure)?.code == .badConfiguration
            }
        }
        #expect(
            throws: Failure(.badConfiguration, "the sampling cap is 0; use at least 1, or leave it out")
        ) { try Mixture(tasks: [("a", 3)], cap: 0) }
    }
}
