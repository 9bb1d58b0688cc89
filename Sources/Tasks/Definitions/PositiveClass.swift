import Tensors

/// The class of a task with two labels for which F1 is computed.
public struct PositiveClass: Sendable, Equatable {
    /// The class, as an index into `AnswerSpace.classes`.
    public let index: Int
    /// The label in the files that means this class.
    public let label: String

    /// Creates the value.
    public init(index: Int, label: String) {
        self.index = index
        self.label = label
    }

    /// The positive class when the user has not chosen one; `labels` are in class order. It is 1 if the other label
    /// is 0 or -1, and true if the other is false, in any order, like scikit-learn's (`pos_label=1`). For other labels
    /// it is the second one.
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
    /// The class for which F1 is computed; nil for a task without F1.
    public var positiveClass: PositiveClass? {
        guard metrics.contains(.f1), case .classes = answers else { return nil }
        let chosen = positive.flatMap { label in labels.entries.first { $0.label == label }?.index }
        let names = labelNames
        let index = chosen ?? PositiveClass.standard(names)
        return PositiveClass(index: index, label: names[index])
    }

    /// One sentence for people, for when F1 is computed for another class than the second label although the user has not
    /// chosen one: versions before `positive` used the second label. Nil otherwise.
    public var positiveNotice: String? {
        guard positive == nil, let chosen = positiveClass, chosen.index != 1 else { return nil }
        return
            "task \(name): F1 is computed for the label \(chosen.label.shown), whichever label comes first; earlier versions "
            + "computed it for the second one, \(labelNames[1].shown), which the task's key positive can choose"
    }
}
