/// What reading a task found that a user should know.
public struct TaskReport: Sendable, Equatable, Codable {
    /// What was left out of one file.
    public struct File: Sendable, Equatable, Codable {
        /// The file's name without its directory.
        public let name: String
        /// Rows that became examples.
        public internal(set) var examples = 0
        /// Bad rows left out (`onBadRow: skip`).
        public internal(set) var badRows = 0
        /// The first of them: file, line and reason.
        public internal(set) var firstBadRow: String?
        /// Rows with too few columns, in a task that leaves them out.
        public internal(set) var incompleteRows = 0
        /// Rows whose label the task leaves out.
        public internal(set) var ignoredRows = 0
    }

    /// What one split holds.
    public struct Split: Sendable, Equatable, Codable {
        /// The split.
        public let name: SplitName
        /// What its figures are called where that says more than its name.
        public let label: String?
        /// Its examples.
        public internal(set) var examples: Int
        /// For each split before it that shares text with it, how many of its examples have a source text that occurs
        /// there, after duplicates were dropped.
        public internal(set) var equalText: [EqualText] = []
        /// What tokenising found; nothing before that.
        public internal(set) var sources = SourceCounts()

        /// Examples whose source was cut to the maximal length.
        public var truncatedSources: Int { sources.truncated }
    }

    /// Examples whose text occurs in another split.
    public struct EqualText: Sendable, Equatable, Codable {
        /// The other split.
        public let with: SplitName
        /// How many.
        public let examples: Int
    }

    /// The task.
    public let task: String
    /// Its files.
    public internal(set) var files: [File]
    /// Its splits, in the order of the definition.
    public internal(set) var splits: [Split]
    /// Training rows dropped because their text occurs in another split (`dropDuplicates`).
    public internal(set) var droppedDuplicates = 0

    /// Whether the numbers can be counts of rows; sums of them do not overflow then.
    var isPossible: Bool {
        let rows = files.flatMap { [$0.examples, $0.badRows, $0.incompleteRows, $0.ignoredRows] }
        let examples = splits.flatMap { [$0.examples] + $0.sources.numbers + $0.equalText.map(\.examples) }
        return (rows + examples + [droppedDuplicates]).allSatisfy { (0...(1 << 40)).contains($0) }
    }
}
