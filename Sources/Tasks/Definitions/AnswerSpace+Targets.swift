import Foundation

extension AnswerSpace {
    /// How many different targets there are: classes, or grades from minimum to maximum. Free text has no table of targets.
    public var targetCount: Int {
        switch self {
        case .classes(let classes): classes.count
        case .grades(let minimum, let maximum, let step, _): Int(((maximum - minimum) / step + 1e-6).rounded(.down)) + 1
        case .texts: 0
        }
    }

    /// The index of the target of a gold answer: the class, or the grade nearest to the score. Free text has none.
    ///
    /// Grades are minimum + k step; halfway scores go to the even k, as T5 rounds (`tf.round(score * 5) / 5`).
    public func targetIndex(of gold: GoldAnswer) -> Int {
        switch (self, gold) {
        case (.grades(let minimum, _, let step, _), .score(let score)):
            // Multiplying by a whole number of steps per unit is exact, dividing by 0.2 is not.
            let perUnit = (1 / step).rounded()
            let distance = score - minimum
            let grade = abs(perUnit * step - 1) < 1e-9 ? distance * perUnit : distance / step
            return min(max(Int(grade.rounded(.toNearestOrEven)), 0), targetCount - 1)
        case (_, .label(let label)):
            return label
        case (.classes, .score(let score)):
            return Int(score)
        case (.texts, _), (_, .texts):
            preconditionFailure("free text has no table of targets")
        }
    }

    /// The target text of an index of `0 ..< targetCount`.
    public func targetText(_ index: Int) -> String {
        switch self {
        case .classes(let classes):
            return classes[index]
        case .grades(let minimum, _, let step, let decimals):
            let text = String(format: "%.\(decimals)f", minimum + Double(index) * step)
            // A zero gets no minus sign.
            return text.hasPrefix("-") && !text.contains(where: { ("1"..."9").contains($0) })
                ? String(text.dropFirst()) : text
        case .texts:
            preconditionFailure("free text has no table of targets")
        }
    }

    /// The target text of a gold answer.
    public func targetText(of gold: GoldAnswer) -> String {
        if case .texts(let texts) = gold { return texts[0] }
        return targetText(targetIndex(of: gold))
    }

    /// The number of decimals that write every grade minimum + k step in full: 1 for 0.2, 2 for 0.25, 0 for whole
    /// steps from a whole minimum; at most 6.
    public static func decimals(minimum: Double, step: Double) -> Int {
        func isWhole(_ value: Double, _ places: Int) -> Bool {
            let scaled = abs(value) * pow(10, Double(places))
            return abs(scaled - scaled.rounded()) <= 1e-9 * max(scaled, 1)
        }
        return (0..<6).first { isWhole(step, $0) && isWhole(minimum, $0) } ?? 6
    }
}
