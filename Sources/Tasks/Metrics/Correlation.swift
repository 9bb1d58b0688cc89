/// Correlations of two lists of numbers with equal lengths.
enum Correlation {
    /// `sum x'y' / sqrt(sum x'^2 sum y'^2)` with x' and y' centred; nil when a list is constant or has fewer than two
    /// numbers.
    static func pearson(_ x: [Double], _ y: [Double]) -> Double? {
        guard x.count > 1, let a = unitDeviations(x), let b = unitDeviations(y) else { return nil }
        let product = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
        return min(1, max(-1, product))
    }

    /// The Pearson correlation of the ranks; equal numbers have the mean of their ranks.
    static func spearman(_ x: [Double], _ y: [Double]) -> Double? {
        pearson(averageRanks(x), averageRanks(y))
    }

    /// Ranks from 1; equal numbers share the mean of the ranks that they occupy.
    static func averageRanks(_ values: [Double]) -> [Double] {
        let order = values.indices.sorted { (values[$0], $0) < (values[$1], $1) }
        var ranks = [Double](repeating: 0, count: values.count)
        var start = 0
        while start < order.count {
            var end = start + 1
            while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
            for place in start..<end { ranks[order[place]] = Double(start + end + 1) / 2 }
            start = end
        }
        return ranks
    }

    /// Deviations from the mean, scaled to length 1; nil when all are equal.
    private static func unitDeviations(_ values: [Double]) -> [Double]? {
        // This is checked before the mean is subtracted: rounding can leave a constant list with a tiny deviation.
        guard values.contains(where: { $0 != values[0] }) else { return nil }
        let mean = values.reduce(0, +) / Double(values.count)
        let deviations = values.map { $0 - mean }
        // The largest is divided out first, so that the squares of huge numbers do not overflow.
        let largest = deviations.reduce(0) { max($0, abs($1)) }
        guard largest > 0, largest.isFinite else { return nil }
        let scaled = deviations.map { $0 / largest }
        let length = scaled.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return scaled.map { $0 / length }
    }
}
