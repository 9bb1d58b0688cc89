package import Runs
package import Studies
package import Tasks

/// A run in a report: its name, and what it has logged.
package struct ReportedRun {
    package let name: RunName
    /// The names of its tasks, in their order.
    package let tasks: [String]
    package let history: RunHistory
    /// The intervals of the figures at its end; absent where the run has no record of its answers.
    package let intervals: [SplitName: FigureIntervals]

    /// Creates a run.
    package init(
        name: RunName, tasks: [String], history: RunHistory, intervals: [SplitName: FigureIntervals] = [:]
    ) {
        self.name = name
        self.tasks = tasks
        self.history = history
        self.intervals = intervals
    }

    /// The tasks of several runs, each once, in the order in which they occur.
    static func tasks(_ runs: [ReportedRun]) -> [String] {
        runs.reduce(into: []) { tasks, run in
            for task in run.tasks where !tasks.contains(task) { tasks.append(task) }
        }
    }
}
