/// How thorough an analysis is.
struct AnalysisDepth {
    /// At most so many training texts of a task, evenly spaced among all, are read for the scales of its adapter; nil for all.
    var texts: Int?
    /// A run that trains a whole model of more weights is refused; nil for none.
    var wholeModel: Int?

    /// Everything that can be computed.
    static let whole = AnalysisDepth()
    /// What takes seconds: singular values of the weights of a whole model take minutes, and so do a million texts.
    static let brief = AnalysisDepth(texts: 1_000, wholeModel: 100_000_000)
}
