import Foundation

extension AnswerSpace {
    /// The class that a generated text names: the label equal to the text without surrounding white space.
    ///
    /// Nil when it is not a label, and always in a space of grades.
    public func label(of answer: String) -> Int? {
        guard case .classes(let labels) = self else { return nil }
        return labels.firstIndex(of: answer.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// The number that a generated text represents, ignoring surrounding white space; nil when it is not a number.
    ///
    /// Only plain decimal numbers are read: an optional sign, ASCII digits and at most one decimal point. Forms such as "nan",
    /// "inf", exponents or hexadecimal are not. A number outside the grades is used as it is, not clamped.
    public static func number(of answer: String) -> Double? {
        let text = answer.trimmingCharacters(in: .whitespacesAndNewlines)
        var digits = 0
        var points = 0
        for (position, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
            case UInt8(ascii: "."): points += 1
            case UInt8(ascii: "+"), UInt8(ascii: "-"): if position > 0 { return nil }
            default: return nil
            }
        }
        guard digits > 0, points <= 1, let value = Double(text), value.isFinite else { return nil }
        return value
    }
}
