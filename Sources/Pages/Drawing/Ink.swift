import Foundation

/// The shape of a mark; all have about the same area.
enum Mark: CaseIterable {
    case circle
    case square
    case triangle
    case diamond
    case cross
    case tip

    /// The corners around the origin, for a circle of radius 1; none for the circle itself.
    var corners: [(x: Double, y: Double)] {
        switch self {
        case .circle: []
        case .square: [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]
        case .triangle: [(0, -1.3), (1.2, 0.9), (-1.2, 0.9)]
        case .tip: [(0, 1.3), (1.2, -0.9), (-1.2, -0.9)]
        case .diamond: [(0, -1.35), (1.35, 0), (0, 1.35), (-1.35, 0)]
        case .cross:
            [
                (-0.45, -1.3), (0.45, -1.3), (0.45, -0.45), (1.3, -0.45), (1.3, 0.45), (0.45, 0.45), (0.45, 1.3),
                (-0.45, 1.3), (-0.45, 0.45), (-1.3, 0.45), (-1.3, -0.45), (-0.45, -0.45),
            ]
        }
    }
}

/// Colours, and marks that tell series apart without them.
enum Ink {
    /// Number of different series colours.
    static let series = 8

    /// The class of a series; the style sheet gives it a colour in light and dark (Okabe and Ito's palette, which colour-blind
    /// people can tell apart).
    static func seriesClass(_ index: Int) -> String { "s\(index % series)" }

    /// The dashes of a series' line, in addition to its colour; nil for a solid line.
    static func dashes(_ index: Int) -> String? {
        // The ninth series has the first one's colour and the second one's dashes.
        [nil, "6 3", "2 3", "8 3 2 3", "4 2", "1 2", "10 4", "6 2 2 2 2 2"][(index + index / 8) % 8]
    }

    /// The shape of a series' marks, in addition to its colour.
    static func mark(_ index: Int) -> Mark { Mark.allCases[(index % series + index / series) % Mark.allCases.count] }

    /// A colour of a heat map, and whether dark text can be read on it; else light text is used.
    struct Fill: Equatable {
        let red: Double
        let green: Double
        let blue: Double

        /// The colour as CSS writes it.
        var text: String { String(format: "#%02x%02x%02x", Int(red), Int(green), Int(blue)) }

        /// The relative luminance of WCAG 2.
        var luminance: Double {
            func linear(_ part: Double) -> Double {
                let share = part / 255
                return share <= 0.03928 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
        }

        /// Whether black has more contrast with it than white.
        var isLight: Bool { (luminance + 0.05) * (luminance + 0.05) > 1.05 * 0.05 }

        /// The colour between two others.
        static func mixed(_ a: Fill, _ b: Fill, _ share: Double) -> Fill {
            func part(_ a: Double, _ b: Double) -> Double { (a + (b - a) * share).rounded() }
            return Fill(red: part(a.red, b.red), green: part(a.green, b.green), blue: part(a.blue, b.blue))
        }
    }

    /// For a value from -1 to 1: blue, white, orange.
    static func diverging(_ value: Double) -> Fill {
        let share = max(-1, min(1, value))
        let end = share < 0 ? Fill(red: 20, green: 90, blue: 160) : Fill(red: 190, green: 80, blue: 10)
        return .mixed(Fill(red: 250, green: 250, blue: 248), end, pow(share.magnitude, 0.8))
    }

    /// For a value from 0 to 1: light to dark green-blue.
    static func sequential(_ value: Double) -> Fill {
        let share = max(0, min(1, value))
        let (light, middle, dark) = (
            Fill(red: 247, green: 250, blue: 240), Fill(red: 90, green: 175, blue: 180),
            Fill(red: 8, green: 50, blue: 100)
        )
        return share < 0.5 ? .mixed(light, middle, share * 2) : .mixed(middle, dark, share * 2 - 1)
    }
}
