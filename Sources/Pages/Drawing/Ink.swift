import Foundation

/// Colours, and marks that tell series apart without them.
enum Ink {
    /// Number of different series colours.
    static let series = 8

    /// The class of a series; the style sheet gives it a colour in light and dark (Okabe and Ito's palette, which colour-blind
    /// people can tell apart).
    static func seriesClass(_ index: Int) -> String { "s\(index % series)" }

    /// The dashes of a series' line, in addition to its colour; nil for a solid line.
    static func dashes(_ index: Int) -> String? {
        [nil, "6 3", "2 3", "8 3 2 3", "4 2", "1 2", "10 4", "6 2 2 2 2 2"][index % 8]
    }

    /// A colour of a heat map for a value from -1 to 1: blue, white, orange.
    static func diverging(_ value: Double) -> String {
        let share = max(-1, min(1, value))
        let end = share < 0 ? (20.0, 90.0, 160.0) : (190.0, 80.0, 10.0)
        return mixed((250, 250, 248), end, pow(share.magnitude, 0.8))
    }

    /// A colour of a heat map for a value from 0 to 1: light to dark green-blue.
    static func sequential(_ value: Double) -> String {
        let share = max(0, min(1, value))
        return share < 0.5
            ? mixed((247, 250, 240), (90, 175, 180), share * 2) : mixed((90, 175, 180), (8, 50, 100), share * 2 - 1)
    }

    /// Whether dark text can be read on a diverging colour; else light text is used.
    static func isLight(diverging value: Double) -> Bool { value.magnitude < 0.62 }
    /// The same for a sequential colour.
    static func isLight(sequential value: Double) -> Bool { value < 0.45 }

    private static func mixed(
        _ a: (Double, Double, Double), _ b: (Double, Double, Double), _ share: Double
    ) -> String {
        func part(_ a: Double, _ b: Double) -> Int { Int((a + (b - a) * share).rounded()) }
        return String(format: "#%02x%02x%02x", part(a.0, b.0), part(a.1, b.1), part(a.2, b.2))
    }
}
