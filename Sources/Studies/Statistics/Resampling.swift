import Randomness

/// The draws of the bootstrap: the same for everything that is compared, so that equal results give equal intervals.
package enum Resampling {
    /// The number of resamples.
    package static let count = 2_000
    private static let seed: UInt64 = 1

    /// The stream that draws seeds.
    static var seeds: RandomStream { RandomStream(seed: seed, purpose: .resampling) }

    /// The stream that draws the examples of a task; `number` is its position.
    static func examples(ofTask number: Int) -> RandomStream {
        RandomStream(seed: seed, purpose: .resampling, a: 1, b: UInt32(number))
    }

    /// As many of `count` examples, with replacement; with groups whole ones, as many as there are.
    static func sample(of count: Int, groups: [[Int]]?, _ stream: inout RandomStream) -> [Int] {
        guard let groups else { return (0..<count).map { _ in stream.below(count) } }
        return groups.indices.flatMap { _ in groups[stream.below(groups.count)] }
    }

    /// The interval that holds 95 % of some draws; nil without any.
    static func interval(of draws: [Double]) -> ClosedRange<Double>? {
        let sorted = draws.sorted()
        guard let low = Moments.quantile(0.025, ofSorted: sorted), let high = Moments.quantile(0.975, ofSorted: sorted)
        else { return nil }
        return low...max(low, high)
    }
}
