import Failures

/// The properties in which the files of one task of a benchmark differ from those of another.
struct SuiteLayout {
    var folder: String
    var fields: [Field]
    /// The labels of the files in class order; empty for a task with grades from 0 to 5.
    var labels: [String]
    /// T5's words for the labels, in the same order.
    var words: [String]
    var metrics: [Metric]
    var label = Column.named("label")
    /// The column whose value rows of one group share; nil without groups.
    var group: Column?
    /// Number of columns of files without a header.
    var columns: Int?
    var ignored: [String] = []

    /// The task's definition.
    func definition(
        _ name: String, of suite: TaskSuite, format: TableFormat, style: LabelStyle, splits: [SplitDefinition],
        leavesOutIncompleteRows: Bool = false
    ) throws(Failure) -> TaskDefinition {
        let answers: AnswerSpace
        let map: LabelMap
        if labels.isEmpty {
            answers = .grades(minimum: 0, maximum: 5, step: 0.2, decimals: 1)
            map = LabelMap(entries: [])
        } else {
            answers = .classes(style == .words ? words : labels.indices.map(String.init))
            map = LabelMap(classes: labels, ignored: ignored)
        }
        return try TaskDefinition(
            name: name, format: format, fields: fields, label: label, group: group, answers: answers, labels: map,
            metrics: metrics,
            splits: splits, leavesOutIncompleteRows: leavesOutIncompleteRows, suite: suite)
    }
}
