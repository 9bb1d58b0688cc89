import Foundation

/// Numbers as people read them.
package enum NumberText {
    /// The sign for numbers below 0; a hyphen is too short.
    private static let minus = "\u{2212}"

    private static func signed(_ text: String) -> String {
        text.hasPrefix("-") ? minus + text.dropFirst() : text
    }

    /// The text of a tick at a multiple of `step`: with as many decimals as the step has, and k and M for thousands and millions.
    static func tick(_ value: Double, step: Double) -> String {
        if value == 0 { return "0" }
        for (limit, unit) in [(1e6, "M"), (1e3, "k")] where step >= limit / 10 && value.magnitude >= limit {
            return signed(trimmed(value / limit, decimals: step >= limit ? 0 : 1) + unit)
        }
        let decimals = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
        guard decimals <= 6 else { return signed(String(format: "%.1e", value)) }
        return signed(String(format: "%.\(decimals)f", value))
    }

    private static func trimmed(_ value: Double, decimals: Int) -> String {
        let text = String(format: "%.\(decimals)f", value)
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }

    /// A power of ten.
    static func power(_ exponent: Int) -> String {
        switch exponent {
        case -3...3: String(format: "%g", pow(10, Double(exponent)))
        default: signed("1e\(exponent)")
        }
    }

    /// A number with `digits` significant digits.
    package static func short(_ value: Double?, digits: Int = 3) -> String {
        guard let value else { return "\u{2013}" }
        guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "\u{221E}" : minus + "\u{221E}" }
        return signed(String(format: "%.\(digits)g", value))
    }

    /// A number with fixed decimals.
    package static func fixed(_ value: Double?, _ decimals: Int) -> String {
        guard let value, value.isFinite else { return short(value) }
        let text = String(format: "%.\(decimals)f", value)
        // A rounded number of 0 has no sign.
        return text.contains { $0 != "-" && $0 != "0" && $0 != "." } ? signed(text) : String(text.drop { $0 == "-" })
    }

    /// A coordinate: two decimals at most.
    static func place(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(format: "%g", rounded)
    }
}
