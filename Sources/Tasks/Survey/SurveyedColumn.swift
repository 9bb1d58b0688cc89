import Tensors

/// What the values of a column are like.
public struct SurveyedColumn: Sendable, Equatable {
    /// The column's name, or a name made from its number in a file without a header.
    public let name: String
    /// Whether the values are lists of texts, of which only the first are looked at.
    public let isList: Bool
    /// How often each value occurs; nil when there are more than `mostValues`.
    public private(set) var values: [String: Int]? = [:]
    /// The smallest and largest value, when all are numbers.
    public private(set) var range: ClosedRange<Double>?
    /// Values with white space in them.
    private(set) var phrases = 0
    /// Length of the longest value in scalars.
    private(set) var longest = 0
    private var rows = 0
    private var isNumeric = true

    /// The number of different values up to which they are counted.
    public static let mostValues = 20

    init(_ name: String, isList: Bool = false) {
        (self.name, self.isList) = (name, isList)
    }

    /// Whether a column, or an object that it is in, has a usual name of answers of which several are right.
    static func isNamedAnswer(_ name: String) -> Bool {
        let usual = ["answers", "answer", "references", "reference", "targets", "target", "golds", "gold"]
        return name.lowercased().split(separator: ".").contains { usual.contains(String($0)) }
    }

    mutating func add(_ text: String) {
        rows += 1
        longest = max(longest, text.unicodeScalars.count)
        if text.utf8.contains(0x20) { phrases += 1 }
        if isNumeric, let number = AnswerSpace.number(of: text), number.isFinite {
            range = range.map { min($0.lowerBound, number)...max($0.upperBound, number) } ?? number...number
        } else {
            (isNumeric, range) = (false, nil)
        }
        // Comparing texts takes quadratic time in the number of consecutive marks.
        guard text.isStreamSafe, longest <= 40 else { return values = nil }
        values?[text, default: 0] += 1
        if let count = values?.count, count > Self.mostValues { values = nil }
    }

    /// Whether at least half of the values have several words.
    var isText: Bool { phrases * 2 >= rows && rows > 0 && !isList }

    /// Whether the values can be labels: several different ones, each twice on average, none empty, and all of them different
    /// answers without the white space around them.
    var canBeLabel: Bool {
        guard let values, !isList else { return false }
        let answers = Set(values.keys.map(Self.answer))
        return values.count >= 2 && values.count * 2 <= rows && answers.count == values.count && !answers.contains("")
    }

    /// Whether the values can be scores: numbers that are small enough for a table of grades.
    var canBeScore: Bool {
        guard let range, !isList else { return false }
        return range.lowerBound > -1e9 && range.upperBound < 1e9
    }

    /// The answer for a label: an answer has no white space around it.
    static func answer(_ label: String) -> String {
        let start = label.drop(while: \.isWhitespace)
        return String(start.prefix(start.count - start.reversed().prefix(while: \.isWhitespace).count))
    }

    /// The values in the order in which they become classes: numbers by size, other texts by the alphabet.
    var classes: [String] {
        (values ?? [:]).keys.sorted { first, second in
            guard let a = AnswerSpace.number(of: first), let b = AnswerSpace.number(of: second), a != b else {
                return first < second
            }
            return a < b
        }
    }
}
