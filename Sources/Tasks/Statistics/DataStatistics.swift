/// The figures of a run's data, in the form in which they are written as JSON. They depend on the files, the tasks, the
/// vocabulary and the options of the token cache, and on nothing else.
public struct DataStatistics: Sendable, Equatable, Codable {
    /// The maximal length of a source in tokens, EOS included.
    public let maxSource: Int
    /// The tasks in the order of the configuration.
    public let tasks: [TaskStatistics]

    /// Computes the figures from the mapped cache; `maxSource` is the one with which it was made, and `definitions` are those of
    /// the tasks. It reads the answers and the positions of all examples, but not their ids.
    public init(_ tasks: [CachedTask], of definitions: [TaskDefinition], maxSource: Int) {
        self.maxSource = maxSource
        self.tasks = tasks.map { task in
            TaskStatistics(task, definitions.first { $0.name == task.name })
        }
    }
}

/// The figures of one task.
public struct TaskStatistics: Sendable, Equatable, Codable {
    /// Training rows that were dropped because their text occurs in another split.
    public struct Dropped: Sendable, Equatable, Codable {
        /// How many.
        public let count: Int
        /// The first of them: file and line.
        public let first: String?
        /// The same rows by the split in which their text occurs, which may be several; `share` is that of all training rows
        /// before any was dropped.
        public let equalText: [SplitStatistics.EqualText]
    }

    /// The task's name.
    public let task: String
    /// How many rows of each file became examples or were left out.
    public let files: [FileStatistics]
    /// Training rows that were dropped as duplicates (`data.dropDuplicates`).
    public let dropped: Dropped
    /// The splits in the order of the definition: train first.
    public let splits: [SplitStatistics]

    init(_ task: CachedTask, _ definition: TaskDefinition?) {
        self.task = task.name
        let report = task.report
        files = report.files.map { FileStatistics($0, publishedRows: definition?.publishedRows(of: $0.name)) }
        let training = (report.splits.first { $0.name == .train }?.examples ?? 0) + report.droppedDuplicates
        dropped = Dropped(
            count: report.droppedDuplicates, first: report.firstDropped,
            equalText: report.dropped.map { SplitStatistics.EqualText($0, of: training) })
        splits = zip(task.splits, report.splits).map { SplitStatistics($0, $1, of: task) }
    }

    /// The split with that name; nil when the task has none.
    public func split(_ name: SplitName) -> SplitStatistics? { splits.first { $0.split == name } }
}
