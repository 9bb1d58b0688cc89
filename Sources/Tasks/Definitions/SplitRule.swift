/// How the files of a benchmark become splits. The labels of its test files are hidden, so all splits come from the others.
public enum SplitRule: String, Sendable, CaseIterable {
    /// Every task has a validation and a test split. GLUE's are HyperFormer's: small tasks halve their dev set; large ones test on
    /// all of it and validate on training rows; MNLI has two dev sets. SuperGLUE's tasks halve their dev set.
    case paper
    /// The dev set, whole, is the validation split, and no training row is held out: the rows of published dev figures. There
    /// is no test split. MNLI validates on its matched dev set, and the mismatched one stands beside.
    case dev
}
