/// How the labels of a benchmark's tasks are written as answers.
public enum LabelStyle: String, Sendable, CaseIterable {
    /// Digit strings in class order, which is that of the files where they have digits: entailment 0, neutral 1, contradiction 2.
    case digits
    /// T5's own words.
    case words
}
