import Failures

/// Two tasks of SuperGLUE as examples of custom tasks: everything here can be written as a task in the configuration.
///
/// Their test labels are hidden, so `val.jsonl` is halved into validation and test.
public enum SuperGLUE {
    /// CommitmentBank: does the premise commit its speaker to the hypothesis?
    ///
    /// - Parameter directory: Holds `CB/train.jsonl` and `CB/val.jsonl`.
    public static func cb(directory: String) throws(Failure) -> TaskDefinition {
        let (labels, answers) = LabelMap.from(pairs: [
            ("entailment", "entailment"), ("contradiction", "contradiction"), ("neutral", "neutral"),
        ])
        return try TaskDefinition(
            name: "cb", format: .jsonLines, fields: [Field("premise"), Field("hypothesis")], label: .named("label"),
            template: "cb premise: {premise} hypothesis: {hypothesis}", answers: answers, labels: labels,
            metrics: [.accuracy],
            splits: SplitDefinition.splits(
                train: ["\(directory)/CB/train.jsonl"], validation: ["\(directory)/CB/val.jsonl"]))
    }

    /// Choice of Plausible Alternatives: is choice 1 (label 0) or choice 2 (label 1) the cause or effect of the premise?
    ///
    /// - Parameter directory: Holds `COPA/train.jsonl` and `COPA/val.jsonl`.
    public static func copa(directory: String) throws(Failure) -> TaskDefinition {
        let (labels, answers) = LabelMap.from(pairs: [("0", "0"), ("1", "1")])
        return try TaskDefinition(
            name: "copa", format: .jsonLines,
            fields: [Field("choice1"), Field("choice2"), Field("premise"), Field("question")], label: .named("label"),
            template: "copa choice1: {choice1} choice2: {choice2} premise: {premise} question: {question}",
            answers: answers, labels: labels, metrics: [.accuracy],
            splits: SplitDefinition.splits(
                train: ["\(directory)/COPA/train.jsonl"], validation: ["\(directory)/COPA/val.jsonl"]))
    }
}
