extension RunConfiguration {
    /// Whether training evaluates more than once, so that the best checkpoint is chosen among several.
    public var choosesBest: Bool {
        guard let every = evaluateEvery else { return false }
        return steps / every + (evaluatesAtEnd && steps % every != 0 ? 1 : 0) > 1
    }

    /// A sentence for a run whose best checkpoint is chosen on the test split; nil for any other.
    var selectionWarning: String? {
        guard evaluationSplit == "test", choosesBest else { return nil }
        return
            "eval.split test chooses the best checkpoint on the test split, so its test figures are too good to report; use "
            + "eval.split validation, or eval.every null for the last step alone"
    }
}
