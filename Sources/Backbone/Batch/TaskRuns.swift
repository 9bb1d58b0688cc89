/// The rows of a micro-batch in stretches of consecutive examples of the same task, in order. The iteration allocates nothing.
public struct TaskRuns: Sequence, IteratorProtocol {
    /// Consecutive rows that use the same tensors.
    public struct Run {
        /// First row.
        public let start: Int
        /// Number of rows.
        public let count: Int
        /// The number of the task.
        public let task: Int
    }

    private let rows: Segments
    /// A number for the task of each example; nil when all use the same tensors, which makes one run of number 0.
    private let tasks: [Int]?
    private var segment = 0

    /// The stretches of `rows`.
    public init(rows: Segments, tasks: [Int]?) {
        self.rows = rows
        self.tasks = tasks
    }

    /// The next stretch; nil after the last.
    public mutating func next() -> Run? {
        guard segment < rows.count else { return nil }
        let (start, own) = (rows.start(segment), task)
        var count = 0
        repeat {
            count += rows.length(segment)
            segment += 1
        } while segment < rows.count && task == own
        return Run(start: start, count: count, task: own)
    }

    private var task: Int { tasks?[rows.example(segment)] ?? 0 }
}
