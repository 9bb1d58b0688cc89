/// Minimum, median and maximum of repeated measurements.
public struct Spread: Encodable, Sendable {
    /// Smallest.
    public let minimum: Double
    /// Median; with an even number of values the mean of the middle two.
    public let median: Double
    /// Largest.
    public let maximum: Double

    /// Computes them for at least one value.
    public init(_ values: [Double]) {
        precondition(!values.isEmpty, "a spread of nothing")
        let sorted = values.sorted()
        let half = sorted.count / 2
        minimum = sorted[0]
        maximum = sorted[sorted.count - 1]
        median = sorted.count % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
    }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

/// Runs `body` and returns how long it took, in seconds.
func seconds<Problem: Error>(_ body: () throws(Problem) -> Void) throws(Problem) -> Double {
    let begun = ContinuousClock.now
    try body()
    return begun.duration(to: .now).inSeconds
}
