/// Mean and spread of a few numbers.
package enum Moments {
    /// The mean; nil without numbers.
    package static func mean(_ values: [Double]) -> Double? {
        values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }

    /// The sample standard deviation, `sqrt(sum (x - mean)^2 / (n - 1))`; nil for fewer than two numbers.
    package static func deviation(_ values: [Double]) -> Double? {
        guard values.count > 1, let mean = mean(values) else { return nil }
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (squares / Double(values.count - 1)).squareRoot()
    }

    /// The quantile `q` of sorted numbers, with linear interpolation between neighbours: position `q (n - 1)` from 0.
    package static func quantile(_ q: Double, ofSorted values: [Double]) -> Double? {
        guard let last = values.last else { return nil }
        let position = q * Double(values.count - 1)
        let below = Int(position)
        guard below + 1 < values.count else { return last }
        return values[below] + (position - Double(below)) * (values[below + 1] - values[below])
    }
}
