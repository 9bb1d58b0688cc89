import Foundation

/// Maps values to places on an axis, and chooses the values that are written beside it.
package struct Scale: Sendable {
    /// How distances are related to values.
    package enum Kind: Sendable {
        /// Equal differences have equal distances.
        case linear
        /// Equal ratios have equal distances; for values above 0.
        case logarithmic
    }

    let kind: Kind
    /// The values at both ends.
    let domain: ClosedRange<Double>
    /// The places of both ends; the first may be the larger one.
    let range: (start: Double, end: Double)
    /// The values that are written, with their texts.
    let ticks: [(value: Double, text: String)]

    /// A scale that contains all finite values, with round numbers at its ends. Without values it goes from 0 to 1.
    ///
    /// - Parameter count: about how many values are written.
    init(_ kind: Kind, covering values: some Sequence<Double>, to range: (start: Double, end: Double), count: Int = 5) {
        let finite = values.filter { $0.isFinite && (kind == .linear || $0 > 0) }
        let (low, high) = (finite.min() ?? 0, finite.max() ?? 1)
        switch kind {
        case .linear:
            let step = Self.step(low, high, count)
            var (first, last) = ((low / step).rounded(.down), (high / step).rounded(.up))
            if first == last { (first, last) = (first - 1, last + 1) }
            self.init(kind, domain: first * step...last * step, to: range, step: step)
        case .logarithmic:
            let positive = (low > 0 ? low : 0.1, high > 0 ? high : 1)
            if positive.1 / positive.0 < 200 {
                self.init(few: positive, to: range)
                return
            }
            var (first, last) = (log10(positive.0).rounded(.down), log10(positive.1).rounded(.up))
            if first == last { (first, last) = (first - 1, last + 1) }
            self.init(
                kind, domain: pow(10, first)...pow(10, last), to: range, step: max(1, ((last - first) / 5).rounded(.up))
            )
        }
    }

    /// A logarithmic scale of few powers of ten, with 1, 2 and 5 times each.
    private init(few values: (low: Double, high: Double), to range: (start: Double, end: Double)) {
        let first = Int(log10(values.low).rounded(.down))
        let marks = (first...first + 4).flatMap { power in
            [1.0, 2, 5].map { (value: $0 * pow(10, Double(power)), step: pow(10, Double(power))) }
        }
        let low = marks.last { $0.value <= values.low * 1.000001 } ?? marks[0]
        let high = marks.first { $0.value >= values.high * 0.999999 && $0.value > low.value } ?? marks[marks.count - 1]
        kind = .logarithmic
        domain = low.value...high.value
        self.range = range
        ticks = marks.filter { $0.value >= low.value && $0.value <= high.value }.map {
            ($0.value, NumberText.tick($0.value, step: $0.step))
        }
    }

    /// A linear scale with these ends.
    init(from low: Double, through high: Double, to range: (start: Double, end: Double), count: Int = 5) {
        self.init(.linear, domain: low...high, to: range, step: Self.step(low, high, count))
    }

    private init(_ kind: Kind, domain: ClosedRange<Double>, to range: (start: Double, end: Double), step: Double) {
        self.kind = kind
        self.domain = domain
        self.range = range
        switch kind {
        case .linear:
            let first = (domain.lowerBound / step - 1e-9).rounded(.up)
            let last = (domain.upperBound / step + 1e-9).rounded(.down)
            ticks = stride(from: first, through: last, by: 1).map {
                ($0 * step, NumberText.tick($0 * step, step: step))
            }
        case .logarithmic:
            let first = log10(domain.lowerBound).rounded()
            ticks = stride(from: first, through: log10(domain.upperBound).rounded(), by: step).map {
                (pow(10, $0), NumberText.power(Int($0)))
            }
        }
    }

    /// The round number of which about `count` fit between two values: 1, 2 or 5 times a power of ten.
    private static func step(_ low: Double, _ high: Double, _ count: Int) -> Double {
        let span = high > low ? high - low : max(low.magnitude, 1)
        let raw = span / Double(max(count, 1))
        let power = pow(10, log10(raw).rounded(.down))
        let factor = [1.0, 2, 5, 10].first { $0 * power >= raw * 0.999 } ?? 10
        return factor * power
    }

    /// The place of a value; values outside are placed at the ends.
    func place(_ value: Double) -> Double {
        let bounded = min(max(value, domain.lowerBound), domain.upperBound)
        let share: Double
        switch kind {
        case .linear: share = (bounded - domain.lowerBound) / (domain.upperBound - domain.lowerBound)
        case .logarithmic: share = log(bounded / domain.lowerBound) / log(domain.upperBound / domain.lowerBound)
        }
        return range.start + share * (range.end - range.start)
    }
}
