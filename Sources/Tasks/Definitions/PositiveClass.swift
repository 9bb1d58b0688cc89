import Tensors

/// The class of a task with two labels that F1 is of.
public struct PositiveClass: Sendable, Equatable {
    /// The class, as an index into `AnswerSpace.classes`.
    public let index: Int
    /// The label of the files that means it.
    public let label: String

    /// Creates one.
    public init(index: Int, label: String) {
        self.index = index
        self.label = label
    }

    /// The class that is positive where nobody has chosen one, of labels in class order: 1 beside 0 or -1, and true beside
    /// false, whichever stands first, as scikit-learn has it (`pos_label=1`); of other labels the second.
    static func standard(_ labels: [String]) -> Int {
        guard labels.count == 2 else { return min(1, labels.count - 1) }
        return labels.indices.first { isOne(labels[$0], beside: labels[1 - $0]) } ?? 1
    }

    private static func isOne(_ label: String, beside other: String) -> Bool {
        if AnswerSpace.number(of: label) == 1 { return [0, -1].contains(AnswerSpace.number(of: other)) }
        return label.lowercased() == "true" && other.lowercased() == "false"
    }
}

extension TaskDefinition {
    /// The class that F1 is of; nil for a task without F1.
    public var positiveClass: PositiveClass? {
        guard metrics.contains(.f1), case .classes = answers else { return nil }
        let chosen = positive.flatMap { label in labels.entries.first { $0.label == label }?.index }
        let names = labelNames
        let index = chosen ?? PositiveClass.standard(names)
        return PositiveClass(index: index, label: names[index])
    }

    /// One sentence for people where F1 is of another class than that of the second label, which it was of in versions
    /// before `positive`, though nobody has chosen it; nil otherwise.
    public var positiveNotice: String? {
        guard positive == nil, let chosen = positiveClass, chosen.index != 1 else { return nil }
        return
            "task \(name): F1 is that of the label \(chosen.label.shown), whichever label stands first; in earlier versions "
            + "it was that of the second one, \(labelNames[1].shown), which the task's key positive can name"
    }
}
