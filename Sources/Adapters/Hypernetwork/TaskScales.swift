/// Mean and standard deviation of the scales that the hypernetwork of `unolora_star` gives the texts of one task.
public struct TaskScales: Sendable, Equatable {
    /// The number of texts over which they are taken; nil if the hypernetwork reads no text, so that all examples of the task have
    /// the same scales.
    public let texts: Int?
    /// The mean for each site in the order of `siteNames`, `[sites][rankA]`.
    public let mean: [[Double]]
    /// The standard deviation of all texts (divided by their number), in the same order.
    public let deviation: [[Double]]
}

/// Sums from which the `TaskScales` of many texts follow. The sums of parts add up, so that parts can be computed by several
/// threads; the result is the same if they are added in the same order.
public struct ScaleSums: Sendable {
    /// Scales begin near 1, or near 0 without the 1: sums of their differences from that lose nothing.
    private let origin: Double
    private let rank: Int
    private var texts = 0
    private var sums: [Double]
    private var squares: [Double]

    init(_ layout: HypernetworkLayout) {
        origin = layout.options.startsAtOne ? 1 : 0
        rank = layout.rank
        sums = Array(repeating: 0, count: layout.sites * layout.rank)
        squares = sums
    }

    /// Adds the scales of one example, `[sites * rank]`.
    mutating func add(_ scales: some Collection<Float>) {
        for (i, scale) in scales.enumerated() {
            let difference = Double(scale) - origin
            sums[i] += difference
            squares[i] += difference * difference
        }
        texts += 1
    }

    /// Adds the sums of other texts of the same task.
    public mutating func add(_ other: ScaleSums) {
        for i in sums.indices {
            sums[i] += other.sums[i]
            squares[i] += other.squares[i]
        }
        texts += other.texts
    }

    /// Mean and standard deviation of at least one text.
    public func scales(readTexts: Bool = true) -> TaskScales {
        precondition(texts > 0, "scales of no text")
        let count = Double(texts)
        func perSite(_ value: (Int) -> Double) -> [[Double]] {
            stride(from: 0, to: sums.count, by: rank).map { site in (site..<site + rank).map(value) }
        }
        return TaskScales(
            texts: readTexts ? texts : nil, mean: perSite { origin + sums[$0] / count },
            deviation: perSite { i in
                let mean = sums[i] / count
                return max(squares[i] / count - mean * mean, 0).squareRoot()
            })
    }
}
