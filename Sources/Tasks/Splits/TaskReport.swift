/// Facts that a user should know about the reading of a task.
public struct TaskReport: Sendable, Equatable, Codable {
    /// How many rows of one file became examples or were left out.
    public struct File: Sendable, Equatable, Codable {
        /// The file's name without its directory.
        public let name: String
        /// Rows that became examples.
        public internal(set) var examples = 0
        /// Bad rows left out (`onBadRow: skip`).
        public internal(set) var badRows = 0
        /// The first bad row: file, line and reason.
        public internal(set) var firstBadRow: String?
        /// Rows with too few columns, in a task that leaves such rows out.
        public internal(set) var incompleteRows = 0
        /// Rows whose label the task leaves out.
        public internal(set) var ignoredRows = 0

        /// All rows of the file.
        public var rows: Int { examples + badRows + incompleteRows + ignoredRows }
    }

    /// The content of one split.
    public struct Split: Sendable, Equatable, Codable {
        /// The split.
        public let name: SplitName
        /// The name of the split's figures if it says more than `name`.
        public let label: String?
        /// Its examples.
        public internal(set) var examples: Int
        /// For each earlier split: the examples of this one whose source text occurs there, after duplicates were dropped.
        public internal(set) var equalText: [EqualText] = []
        /// The examples whose source text occurs in this split more than once, after duplicates were dropped.
        public internal(set) var repeated = Repeats()
        /// The result of tokenising; empty before that.
        public internal(set) var sources = SourceCounts()
        /// The lengths of the sources before any cut; empty before tokenising.
        public internal(set) var whole = TokenLengths([])
        /// The result of tokenising the answers of a task with free text; nil before that and for other tasks.
        public internal(set) var answers: AnswerCounts?

        /// Examples whose source was cut to the maximal length.
        public var truncatedSources: Int { sources.truncated }
    }

    /// Examples whose text occurs in another split.
    public struct EqualText: Sendable, Equatable, Codable {
        /// The other split.
        public let with: SplitName
        /// How many.
        public internal(set) var examples = 0
        /// Those of them whose text has another answer there, at least once.
        public internal(set) var otherAnswer = 0
    }

    /// Examples whose text occurs more than once in their split.
    public struct Repeats: Sendable, Equatable, Codable {
        /// Examples beyond the first with each text: those that would go if each text were kept once.
        public internal(set) var examples = 0
        /// Examples, the first ones included, whose text has another answer elsewhere in the split.
        public internal(set) var otherAnswer = 0
    }

    /// The task.
    public let task: String
    /// Its files.
    public internal(set) var files: [File]
    /// Its splits, in the order of the definition.
    public internal(set) var splits: [Split]
    /// Training rows dropped because their text occurs in another split (`dropDuplicates`).
    public internal(set) var droppedDuplicates = 0
    /// The dropped rows by the split in which their text occurs, which may be several; empty unless rows were to be dropped.
    public internal(set) var dropped: [EqualText] = []
    /// The first dropped row: file and line.
    public internal(set) var firstDropped: String?

    /// Whether the numbers can be counts of rows; if so, their sums do not overflow.
    var isPossible: Bool {
        let rows = files.flatMap { [$0.examples, $0.badRows, $0.incompleteRows, $0.ignoredRows] }
        let examples = splits.flatMap { split in
            [split.examples, split.repeated.examples, split.repeated.otherAnswer] + split.sources.numbers
                + split.whole.numbers + (split.answers?.numbers ?? [])
        }
        let equal = (splits.flatMap(\.equalText) + dropped).flatMap { [$0.examples, $0.otherAnswer] }
        return (rows + examples + equal + [droppedDuplicates]).allSatisfy { (0...(1 << 40)).contains($0) }
    }
}
