/// One task of a token cache.
public struct CachedTask: Sendable {
    /// The task's name.
    public let name: String
    /// The answers that the task admits.
    public let answers: AnswerSpace
    /// The files' name for each class; empty for a task without classes.
    public let labelNames: [String]
    /// The figures that an evaluation computes.
    public let metrics: [Metric]
    /// What reading and tokenising found.
    public let report: TaskReport
    /// The names of its files, in the order of the file numbers in origins.
    public let files: [String]
    /// Its splits in the order of the definition.
    public let splits: [CachedSplit]
    /// The token ids of each class or grade, EOS included; none for free text.
    public let targetIDs: [[Int32]]

    /// The longest target in tokens, EOS included, of free text as it was cut: the smallest sufficient budget for generation.
    public var longestTarget: Int {
        splits.reduce(targetIDs.reduce(0) { max($0, $1.count) }) { max($0, $1.longestTarget) }
    }

    /// The split with that name; nil when the task has none.
    public func split(_ name: SplitName) -> CachedSplit? {
        splits.first { $0.name == name }
    }
}
