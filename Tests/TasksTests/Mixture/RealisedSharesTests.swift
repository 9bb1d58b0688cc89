import Failures
import Foundation
import Tasks
import TestSupport
import Testing

/// Compares how often the sampler really draws each task with the mixture's shares, by Pearson's chi-squared.
@Suite struct RealisedSharesTests {
    /// The eight tasks of the paper: number of rows in GLUE's training files, and number of rows held out of them for
    /// validation.
    private static let published: [(name: String, rows: Int, heldOut: Int)] = [
        ("cola", 8_551, 0), ("sst2", 67_349, 1_000), ("mrpc", 3_668, 0), ("qqp", 363_846, 1_000), ("stsb", 5_749, 0),
        ("mnli", 392_702, 0), ("qnli", 104_743, 1_000), ("rte", 2_490, 0),
    ]

    /// The 99.99 % quantile of chi-squared with 7 degrees of freedom; scipy: `chi2.isf(1e-4, 7)`.
    private static let quantile = 29.877503909224902

    private static let batch = 8
    private static let micro = 4

    /// Number of draws of each task in `steps` steps; a draw decides one slot, one micro-batch or the whole batch.
    private static func counts(
        _ mixture: Mixture, _ granularity: Sampler.Granularity, seed: UInt64, steps: Int
    ) throws -> [Int] {
        var sampler = try Sampler(
            seed: seed, mixture: mixture, granularity: granularity, batch: batch, micro: micro)
        let slotsPerDraw =
            switch granularity {
            case .batch: batch
            case .microBatch: micro
            case .example: 1
            }
        var counts = [Int](repeating: 0, count: mixture.entries.count)
        for _ in 0..<steps {
            let slots = sampler.next()
            for first in stride(from: 0, to: batch, by: slotsPerDraw) { counts[slots[first].task] += 1 }
        }
        return counts
    }

    /// Pearson's statistic of counts against the shares of a mixture.
    private static func statistic(_ counts: [Int], _ mixture: Mixture) -> Double {
        let draws = Double(counts.reduce(0, +))
        return zip(counts, mixture.entries).reduce(0) { sum, pair in
            let expected = draws * pair.1.share
            return sum + pow(Double(pair.0) - expected, 2) / expected
        }
    }

    /// Checks the draws for one mixture, and that the same draws refute mixtures that differ only slightly.
    private static func expectAgreement(
        _ sizes: [(name: String, examples: Int)], temperature: Double, _ granularity: Sampler.Granularity, seed: UInt64
    ) throws {
        #expect(sizes.count == 8, "the quantile is that of 7 degrees of freedom")
        let mixture = try Mixture(tasks: sizes, temperature: temperature)
        // Every granularity makes the same number of draws, so that the test is equally sharp.
        let draws = 256_000
        let drawsPerStep = [.batch: 1, .microBatch: batch / micro, .example: batch][granularity] ?? 1
        let counts = try counts(mixture, granularity, seed: seed, steps: draws / drawsPerStep)
        #expect(counts.reduce(0, +) == draws)
        let agreement = statistic(counts, mixture)
        #expect(agreement < quantile, "\(counts)")
        // Exactly equal counts would mean that nothing was drawn: below the 0.01 % quantile, `chi2.ppf(1e-4, 7)` = 0.2999.
        #expect(agreement > 0.29, "\(counts)")
        for other in [temperature / 1.5, temperature * 1.5] {
            let refuted = statistic(counts, try Mixture(tasks: sizes, temperature: other))
            #expect(refuted > 3 * quantile, "temperature \(other) is not told apart: \(refuted)")
        }
        // The test also detects two tasks that were exchanged.
        let exchanged = [counts[1], counts[0]] + counts[2...]
        #expect(statistic(exchanged, mixture) > 3 * quantile)
    }

    @Test(arguments: Sampler.Granularity.allCases, [1, 2, 3] as [UInt64])
    func `the realised shares agree with the table on GLUE's sizes`(
        granularity: Sampler.Granularity, seed: UInt64
    ) throws {
        let sizes = Self.published.map { (name: $0.name, examples: $0.rows - $0.heldOut) }
        try Self.expectAgreement(sizes, temperature: 10, granularity, seed: seed)
        try Self.expectAgreement(sizes, temperature: 2, granularity, seed: seed)
    }

    @Test(
        .enabled(if: ReferenceMaterial.directory != nil, "needs GLUE's files, which are not distributed here"),
        arguments: Sampler.Granularity.allCases)
    func `the realised shares agree with the table on the files there are`(
        granularity: Sampler.Granularity
    ) throws {
        let definitions = try GLUE.tasks(
            Self.published.map(\.name), directory: ReferenceMaterial.path("data/glue"))
        var sizes: [(name: String, examples: Int)] = []
        for (definition, published) in zip(definitions, Self.published) {
            let count = try TaskExamples(definition).count(.train)
            // Only a part of the large tasks may be available; none may have more rows than published.
            #expect(count > 0 && count <= published.rows - published.heldOut, "\(definition.name)")
            sizes.append((name: definition.name, examples: count))
        }
        try Self.expectAgreement(sizes, temperature: 10, granularity, seed: 5)
    }
}
