package import Configuration

/// One run of a study.
package struct StudyRun: Equatable {
    /// The line of the table to which it belongs, counted from 0.
    package let line: Int
    package let seed: Int
    /// The only task, in a row with a run for each task.
    package let task: String?
    /// Path below the study's directories, such as `lora/lora.rank=4/seed-1/cola`.
    package let name: String
    /// The name of the run with whose adapter it begins; nil for a row without origin.
    package let origin: String?
    package let configuration: RunConfiguration
}

/// A line of the table: a row at one point of the grid.
package struct StudyLine {
    package let row: String
    /// The grid's values in this line, by key, in the order of the file.
    package let point: [(key: String, value: String)]
    /// Whether every task has a run of its own.
    package let isPerTask: Bool
    /// The figures that its runs have, those of one task in sequence.
    package let figures: [StudyFigure]
    /// Steps of each run of a seed; one number unless every task has a run of its own.
    package let steps: [Int]
    /// The configuration with all of the line's tasks and the first seed.
    package let configuration: RunConfiguration

    /// Row and values, as the table shows them.
    package var title: String {
        ([row] + point.map { "\($0.key)=\($0.value)" }).joined(separator: " ")
    }
}

/// A figure of a task.
package struct StudyFigure: Hashable, Sendable {
    package var task: String
    package var metric: String

    package init(task: String, metric: String) {
        self.task = task
        self.metric = metric
    }
}

/// What a study must know of a task and its files.
package struct TaskSize: Equatable, Sendable {
    package let name: String
    /// Training examples.
    package let training: Int
    /// Whether it has a test split.
    package let hasTest: Bool
    /// The names of its figures.
    package let metrics: [String]

    package init(name: String, training: Int, hasTest: Bool, metrics: [String]) {
        self.name = name
        self.training = training
        self.hasTest = hasTest
        self.metrics = metrics
    }
}
